#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/channel/control_channel.h"
#include "dataplane/channel/session.h"
#include "tests/support/certificates.h"
#include "tests/support/seeded_random.h"

namespace ringway::test {

inline const LinkEndpoint kServerLink{.remote = {*IpAddress::parse("192.0.2.1"), 40000, 0},
                                      .local = *IpAddress::parse("198.51.100.1")};

inline TlsContext make_tls(Side side, UnixTime now) {
  const bool is_server = side == Side::Server;
  auto context =
      TlsContext::make(side,
                       {.ca_pem = std::string(kCaPem),
                        .cert_pem = std::string(is_server ? kServerCertPem : kClientCertPem),
                        .key_pem = std::string(is_server ? kServerKeyPem : kClientKeyPem)},
                       now);
  return std::move(*context);
}

/// The other end of a ClientCore, by hand: a gate, one ControlChannel and one Session.
class ServerByHand {
 public:
  explicit ServerByHand(UnixTime now) : tls_(make_tls(Side::Server, now)) {}

  void handle_datagram(MutableBytes datagram, Now now) {
    if (is_data(opcode_of(datagram.front()))) return handle_data(datagram, now);
    if (!channel) {
      GateVerdict verdict = gate_.handle_datagram(datagram, kServerLink, now, scratch_);
      if (const auto* reply = std::get_if<GateReply>(&verdict)) {
        replies.emplace_back(reply->datagram.begin(), reply->datagram.end());
      }
      auto* proven = std::get_if<GateProven>(&verdict);
      if (proven == nullptr) return;
      channel.emplace(ControlChannel::accept({.side = Side::Server}, wrap_, tls_, random_,
                                             std::move(*proven), now));
    }
    channel->handle_datagram(datagram, now);
    serve(now);
  }

  void serve(Now now) {
    while (auto event = channel->poll_event()) {
      if (auto* request = std::get_if<AuthRequested>(&*event)) {
        asked = std::move(*request);
        if (rejection) {
          channel->reject(*rejection, now);
        } else {
          channel->admit({.cipher = DataCipher::Aes256Gcm}, now);
        }
      } else if (auto* ready = std::get_if<KeysReady>(&*event)) {
        if (!session) session.emplace(PeerId{5}, kServerLink, SessionSettings{}, now.instant);
        session->keys().install(ready->keys);
      } else if (std::holds_alternative<ControlActive>(*event)) {
        channel->send_push_reply(push, now);
      } else if (auto* left = std::get_if<PeerLeft>(&*event)) {
        goodbye = left->message;
      } else if (auto* message = std::get_if<MessageReceived>(&*event)) {
        said = message->text;
      }
    }
  }

  std::optional<std::vector<std::uint8_t>> poll_transmit(Now now) {
    if (!replies.empty()) {
      auto reply = std::move(replies.front());
      replies.erase(replies.begin());
      return reply;
    }
    if (!channel) return std::nullopt;
    const auto datagram = channel->poll_transmit(scratch_, now);
    if (!datagram) return std::nullopt;
    return std::vector(datagram->begin(), datagram->end());
  }

  PushReply push{.options = {"ping 10", "ping-restart 60", "ifconfig 10.8.0.2 255.255.255.0",
                             "peer-id 5", "cipher AES-256-GCM", "protocol-flags cc-exit tls-ekm"}};
  std::optional<std::string> rejection;
  std::optional<AuthRequested> asked;
  std::optional<ControlChannel> channel;
  std::optional<Session> session;
  std::optional<std::string> goodbye;
  /// The last message that means nothing to the channel itself.
  std::optional<std::string> said;
  std::vector<PayloadKind> received;
  std::vector<std::vector<std::uint8_t>> packets;
  std::vector<std::vector<std::uint8_t>> replies;

 private:
  void handle_data(MutableBytes datagram, Now now) {
    const auto header = parse_data_header(datagram);
    if (!session || !header) return;
    const auto opened = session->open(*header, datagram, now.instant);
    if (!opened) return;
    received.push_back(opened->kind);
    if (opened->kind != PayloadKind::Packet) return;
    packets.emplace_back(opened->payload.begin(), opened->payload.end());
  }

  TlsWrap wrap_;
  TlsContext tls_;
  SeededRandom random_{2};
  HandshakeCookie cookie_{random_, 60s};
  HandshakeGate gate_{wrap_, cookie_, nullptr};
  std::array<std::uint8_t, 2048> scratch_{};
};

}  // namespace ringway::test
