#pragma once

#include <memory>
#include <vector>

#include "base/check.h"
#include "dataplane/channel/session.h"
#include "dataplane/datapath.h"
#include "perf/bench/packets.h"

namespace ringway::bench {

/// One Datapath with its clients, and packets for it in both directions: what bench_datapath times
/// and the gate counts. Single-threaded; allocates when it is made.
class DatapathLoad {
 public:
  static constexpr std::size_t kBatch = 256;
  static constexpr Instant kNow{1000s};

  struct Settings {
    AeadEngine engine = AeadEngine::Openssl;
    DataCipher cipher = DataCipher::Aes256Gcm;
    /// Of the inner packets.
    std::size_t packet_size = 1400;
    std::uint32_t peer_count = 1;
  };

  explicit DatapathLoad(const Settings& settings)
      : engines_(choice_of(settings)),
        datapath_(datapath_settings(settings)),
        out_(settings.packet_size + Datapath::kSealOverhead),
        batch_(kBatch, Packet(out_.size())) {
    for (std::uint32_t i = 1; i <= settings.peer_count; ++i) connect({i}, settings);
  }

  /// One packet from the TUN for the next client. False when it was dropped.
  bool send_down() {
    const Client& client = next();
    return datapath_.handle_packet(client.down, out_, kNow).way == Verdict::Way::Link;
  }
  /// Seals kBatch datagrams of the clients in turn.
  void prepare_up() {
    senders_.clear();
    for (Packet& datagram : batch_) {
      Client& client = next();
      RW_ASSERT(client.session->seal(client.up, datagram, kNow).has_value());
      senders_.push_back(&client);
    }
  }
  /// Takes what prepare_up() has sealed. False when any of it was dropped.
  bool send_up() {
    bool good = true;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const Verdict verdict = datapath_.handle_datagram(batch_[i], senders_[i]->endpoint, kNow);
      good = good && verdict.way == Verdict::Way::Tun;
    }
    return good;
  }

 private:
  struct Client {
    LinkEndpoint endpoint;
    std::unique_ptr<Session> session;
    Packet up;
    Packet down;
  };

  static AeadChoice choice_of(const Settings& settings) {
    AeadChoice choice;
    choice.set(settings.cipher, settings.engine);
    return choice;
  }
  static DatapathSettings datapath_settings(const Settings& settings) {
    DatapathSettings datapath;
    datapath.own_v4 = IpAddress::v4(0x0a08'0001);
    datapath.pool_v4 = Prefix{.address = IpAddress::v4(0x0a08'0000), .length = 16};
    datapath.sessions_max = settings.peer_count + 1;
    datapath.aead = choice_of(settings);
    return datapath;
  }

  void connect(PeerId peer, const Settings& settings) {
    const std::uint32_t address = 0x0a08'0001 + peer.value;
    Client& client = clients_.emplace_back();
    client.endpoint = {.remote = {.address = IpAddress::v4(0xc633'0000 + peer.value),
                                  .port = static_cast<std::uint16_t>(20000 + peer.value)},
                       .local = IpAddress::v4(0xc000'0201)};
    client.up = udp_packet({.source = address}, settings.packet_size);
    client.down = udp_packet({.source = 0xc000'0207, .destination = address}, settings.packet_size);
    client.session = std::make_unique<Session>(peer, client.endpoint, SessionSettings{}, kNow);
    datapath_.handle_command(AddSession{.peer_id = peer, .endpoint = client.endpoint}, kNow);
    DataKeys ours;
    DataKeys theirs;
    ours.cipher = theirs.cipher = settings.cipher;
    client.session->keys().install(theirs, engines_);
    datapath_.handle_command(InstallKeys{.peer_id = peer, .keys = std::move(ours)}, kNow);
    const Prefix host = Prefix::host(IpAddress::v4(address));
    datapath_.handle_command(AddRoute{.prefix = host, .peer_id = peer}, kNow);
  }

  Client& next() {
    at_ = at_ + 1 == clients_.size() ? 0 : at_ + 1;
    return clients_[at_];
  }

  AeadEngines engines_;
  Datapath datapath_;
  std::vector<Client> clients_;
  std::size_t at_ = 0;
  Packet out_;
  std::vector<Packet> batch_;
  std::vector<const Client*> senders_;
};

}  // namespace ringway::bench
