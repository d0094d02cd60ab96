#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cursor.h"
#include "control/channel/control_channel.h"
#include "control/control_plane.h"
#include "control/session_terms.h"
#include "dataplane/admission/control_packet.h"
#include "dataplane/control_intake.h"
#include "tests/support/certificates.h"
#include "tests/support/seeded_random.h"

namespace ringway::test {

/// A client's control channel and what it heard, at one address and port.
struct PlaneClient {
  PlaneClient(const ChannelSettings& settings, const TlsWrap& wrap, const TlsContext& tls,
              RandomSource& random, const LinkEndpoint& at, Now now)
      : endpoint(at), channel(ControlChannel::connect(settings, wrap, tls, random, now)) {}

  LinkEndpoint endpoint;
  ControlChannel channel;
  std::optional<PushReply> push;
  std::vector<PushReply> updates;
  /// What was pushed in a password's place, and how often. It is not used by itself.
  std::string token;
  std::size_t token_count = 0;
  std::vector<KeyId> keys;
  std::optional<std::string> auth_failed;
  std::optional<std::string> left;
  /// Other text of the server's.
  std::vector<std::string> messages;
  bool is_closed = false;
  /// Gets what the server sends in the channel's place, for what the channel would not do.
  std::function<void(Bytes)> hears_instead;
  /// How many commands the workers had been given when the push arrived.
  std::size_t commands_before_push = 0;
};

/// A ControlPlane and the channels of some clients, joined by a wire that loses nothing, in virtual
/// time. Not a simulation of a network: one step is one exchange.
class PlaneTest : public ::testing::Test {
 protected:
  PlaneTest() {
    config_.tunnel.network_v4 = Prefix::parse("10.77.0.0/24");
    config_.tunnel.network_v6 = Prefix::parse("fd77::/64");
    config_.push = {"route-gateway 10.77.0.1", "topology subnet", "ping 10", "ping-restart 60"};
    config_.timers.ping = 10s;
    config_.timers.ping_restart = 120s;
    server_tls_ = make_tls(Side::Server, kServerCertPem, kServerKeyPem);
  }

  void start(std::uint16_t worker_count = 1, std::string_view leases = {}) {
    plane_ = std::make_unique<ControlPlane>(config_, wrap_, *server_tls_, random_, worker_count,
                                            leases, now_);
    DatapathSettings settings;
    settings.admission = admission_settings(config_, wrap_);
    intake_ = std::make_unique<ControlIntake>(settings);
    take_commands();
  }

  /// As a worker does it: strangers are answered by the intake, and what it lets through is the
  /// plane's.
  void to_server(Bytes datagram, const LinkEndpoint& from) {
    const Verdict verdict = intake_->handle_datagram(datagram, from, now_);
    switch (verdict.way) {
      case Verdict::Way::Link:
        last_answer_.assign(verdict.packet.begin(), verdict.packet.end());
        return to_client(verdict.endpoint, verdict.packet);
      case Verdict::Way::Dropped: ++intake_drops_[static_cast<std::size_t>(verdict.drop)]; return;
      default: plane_->handle_datagram(datagram, from, now_);
    }
  }

  /// A client of OpenVPN 2.4 asks for the cookie and returns it, in the name of a session id. True
  /// when it was answered.
  bool prove(const LinkEndpoint& from, std::uint32_t number) {
    ControlPacket packet{.opcode = Opcode::HardResetClientV2, .message_id = {0}};
    store_be32(packet.sender.bytes.data(), number);
    packet.sender.bytes[7] = 1;
    last_answer_.clear();
    to_server(encoded(packet), from);
    const auto reset = decode_control_packet(last_answer_);
    if (!reset) return false;
    packet.opcode = Opcode::AckV1;
    packet.ack_count = 1;
    packet.receiver = reset->sender;
    to_server(encoded(packet), from);
    return true;
  }
  static std::vector<std::uint8_t> encoded(const ControlPacket& packet) {
    std::vector<std::uint8_t> buffer(256);
    ByteWriter writer(buffer);
    encode_control_packet(packet, writer);
    buffer.resize(writer.size());
    return buffer;
  }
  /// Nothing is due but another key for cookies.
  [[nodiscard]] bool waits_for_nobody() const {
    return plane_->poll_timeout() && *plane_->poll_timeout() - now_.instant > 1800s;
  }

  /// Those about channels and cookies go to the intake, all others are kept.
  void take_commands() {
    while (auto addressed = plane_->poll_command()) {
      WorkerCommand& command = addressed->command;
      if (const auto* known = std::get_if<KnowChannel>(&command)) {
        intake_->handle(*known);
      } else if (const auto* gone = std::get_if<ForgetChannel>(&command)) {
        intake_->handle(*gone);
      } else if (const auto* key = std::get_if<InstallCookieKey>(&command)) {
        if (addressed->worker == WorkerId{0}) intake_->handle(*key);
      } else if (const auto* close = std::get_if<CloseGate>(&command)) {
        intake_->handle(*close);
      } else {
        commands_.push_back(std::move(*addressed));
      }
    }
  }

  static std::unique_ptr<TlsContext> make_tls(Side side, std::string_view cert,
                                              std::string_view key) {
    TlsMaterial material{
        .ca_pem = std::string(kCaPem), .cert_pem = std::string(cert), .key_pem = std::string(key)};
    auto context = TlsContext::make(side, material, kWall);
    EXPECT_TRUE(context) << (context ? "" : context.error().to_string());
    return std::make_unique<TlsContext>(std::move(*context));
  }

  static LinkEndpoint at(std::uint16_t port, const char* address = "192.0.2.1") {
    return {.remote = {.address = *IpAddress::parse(address), .port = port},
            .local = *IpAddress::parse("198.51.100.1")};
  }

  /// What OpenVPN 2.6 announces.
  static ChannelSettings client_settings() {
    ChannelSettings settings{.side = Side::Client, .renegotiate = 0s, .renegotiate_min = 0s};
    settings.peer_info.set("IV_VER", "2.6.14");
    settings.peer_info.set("IV_PROTO", "990");
    settings.peer_info.set("IV_NCP", "2");
    settings.peer_info.set("IV_CIPHERS", "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305");
    settings.peer_info.set("IV_MTU", "1600");
    return settings;
  }

  PlaneClient& add_client(const LinkEndpoint& endpoint, const TlsContext& tls,
                          const ChannelSettings& settings = client_settings()) {
    clients_.push_back(
        std::make_unique<PlaneClient>(settings, wrap_, tls, random_, endpoint, now_));
    return *clients_.back();
  }
  PlaneClient& connect(const LinkEndpoint& endpoint, const TlsContext& tls,
                       const ChannelSettings& settings = client_settings()) {
    PlaneClient& client = add_client(endpoint, tls, settings);
    settle();
    return client;
  }

  /// Exchanges datagrams until nobody has anything to say.
  void settle() {
    for (int round = 0; round < 200; ++round) {
      bool moved = false;
      for (const auto& client : clients_) moved = from_client(*client) || moved;
      moved = from_plane() || moved;
      if (!moved) return;
    }
    ADD_FAILURE() << "the exchange does not end";
  }

  /// Time passes in steps, so that every deadline on the way is met.
  void pass(Duration duration) {
    const Instant end = now_.instant + duration;
    while (now_.instant < end) {
      const Duration step = std::min<Duration>(500ms, end - now_.instant);
      now_.instant = now_.instant + step;
      now_.wall.seconds = kWall.seconds + (now_.instant - Instant{}) / 1s;
      plane_->handle_timeout(now_);
      for (const auto& client : clients_) client->channel.handle_timeout(now_);
      settle();
    }
  }

  bool from_client(PlaneClient& client) {
    bool moved = false;
    std::array<std::uint8_t, ControlChannel::kDatagramSizeMax> scratch;
    while (const auto datagram = client.channel.poll_transmit(scratch, now_)) {
      moved = true;
      if (!client.is_closed) to_server(*datagram, client.endpoint);
    }
    return moved;
  }

  bool from_plane() {
    take_commands();
    bool moved = false;
    std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> scratch;
    while (const auto datagram = plane_->poll_transmit(scratch, now_)) {
      moved = true;
      if (datagram->bytes.empty()) {
        ended_connections_.push_back(datagram->to);
        continue;
      }
      to_client(datagram->to, datagram->bytes);
    }
    while (const auto event = plane_->poll_event()) log_ += event->text + "\n";
    return moved;
  }

  void to_client(const LinkEndpoint& to, Bytes datagram) {
    bytes_sent_ += datagram.size();
    for (const auto& client : clients_) {
      // Its firewall lets in what comes from where it wrote to, and nothing else (B03).
      if (client->endpoint != to) continue;
      if (client->hears_instead) {
        client->hears_instead(datagram);
        continue;
      }
      client->channel.handle_datagram(datagram, now_);
      take_events(*client);
    }
  }

  void take_events(PlaneClient& client) {
    while (auto event = client.channel.poll_event()) {
      if (auto* push = std::get_if<PushReceived>(&*event)) {
        client.push = push->reply;
        client.commands_before_push = commands_.size();
        client.channel.apply_push(admission_in(push->reply), now_);
      } else if (auto* keys = std::get_if<KeysReady>(&*event)) {
        client.keys.push_back(keys->keys.key_id);
      } else if (auto* pushed = std::get_if<TokenPushed>(&*event)) {
        client.token = pushed->token.view();
        ++client.token_count;
      } else if (auto* failed = std::get_if<AuthFailed>(&*event)) {
        client.auth_failed = failed->reason;
      } else if (auto* left = std::get_if<PeerLeft>(&*event)) {
        client.left = left->message;
      } else if (auto* message = std::get_if<MessageReceived>(&*event)) {
        client.messages.push_back(message->text);
      } else if (auto* update = std::get_if<PushUpdated>(&*event)) {
        client.updates.push_back(std::move(update->update));
      } else if (std::holds_alternative<Closed>(*event)) {
        client.is_closed = true;
      }
    }
  }

  static Admission admission_in(const PushReply& reply) {
    const auto flags = find_option(reply, "protocol-flags").value_or("");
    const auto cipher = find_option(reply, "cipher");
    return {.cipher = cipher ? *parse_data_cipher(*cipher) : DataCipher::Aes256Gcm,
            .tls_key_export = flags.find("tls-ekm") != std::string_view::npos,
            .dynamic_tls_crypt = flags.find("dyn-tls-crypt") != std::string_view::npos};
  }

  template <typename Command>
  std::vector<const Command*> commands() const {
    std::vector<const Command*> found;
    for (const AddressedCommand& addressed : commands_) {
      if (const auto* command = std::get_if<Command>(&addressed.command)) found.push_back(command);
    }
    return found;
  }
  /// The commands' kinds in their order, e.g. "add install route".
  std::string command_text(std::size_t from = 0) const {
    static constexpr const char* kNames[] = {"add",    "install", "confirm", "move", "refuse",
                                             "remove", "route",   "unroute", "hint", "know",
                                             "forget", "cookie",  "stop"};
    std::string text;
    for (std::size_t i = from; i < commands_.size(); ++i) {
      if (!text.empty()) text += ' ';
      text += kNames[commands_[i].command.index()];
    }
    return text;
  }
  std::uint64_t dropped(Drop drop) const {
    const auto index = static_cast<std::size_t>(drop);
    return plane_->drops()[index] + intake_drops_[index];
  }

  static constexpr UnixTime kWall{1'795'458'636};

  ServerConfig config_;
  TlsWrap wrap_;
  SeededRandom random_{7};
  Now now_{.instant = Instant{}, .wall = kWall};
  std::unique_ptr<TlsContext> server_tls_;
  std::unique_ptr<TlsContext> client1_ = make_tls(Side::Client, kClientCertPem, kClientKeyPem);
  std::unique_ptr<TlsContext> client2_ =
      make_tls(Side::Client, kOtherClientCertPem, kOtherClientKeyPem);
  std::unique_ptr<ControlPlane> plane_;
  std::unique_ptr<ControlIntake> intake_;
  std::array<std::uint64_t, kDropCount> intake_drops_{};
  std::vector<std::uint8_t> last_answer_;
  std::vector<std::unique_ptr<PlaneClient>> clients_;
  std::vector<AddressedCommand> commands_;
  std::vector<LinkEndpoint> ended_connections_;
  std::size_t bytes_sent_ = 0;
  std::string log_;
};

}  // namespace ringway::test
