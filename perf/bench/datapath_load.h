#pragma once

#include <algorithm>
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
    /// Packets have the epoch format.
    bool in_epochs = false;

    [[nodiscard]] std::size_t overhead() const {
      return in_epochs ? kEpochOverhead : data_overhead(DataHeader::kSizeMax);
    }
  };

  explicit DatapathLoad(const Settings& settings)
      : engines_(choice_of(settings)),
        datapath_(datapath_settings(settings)),
        out_(settings.packet_size + settings.overhead()),
        batch_(kBatch, Packet(out_.size())),
        super_template_(tcp_packet({.source = 0xc000'0207, .destination = address_of({1})},
                                   super_size(settings), 1)),
        super_(super_template_),
        super_header_({.needs_checksum = true,
                       .gso_type = GsoType::TcpV4,
                       .gso_size = static_cast<std::uint16_t>(settings.packet_size - kTcpHeaders),
                       .checksum_start = kIpv4HeaderMin,
                       .checksum_offset = 16}) {
    for (std::uint32_t i = 1; i <= settings.peer_count; ++i) connect({i}, settings);
  }

  /// One packet from the TUN for the next client. False when it was dropped.
  bool send_down() { return send_frame({}, next().down); }
  /// The packets of one super-packet of TCP, each of packet_size bytes.
  static constexpr std::size_t kSuperPackets = 32;
  /// The super-packet, for client 1, which cutting has overwritten.
  void prepare_super() { std::ranges::copy(super_template_, super_.begin()); }
  /// Sends it. False when any of it was dropped.
  bool send_super() { return send_frame(super_header_, super_); }
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
  /// IPv4 and TCP with timestamps.
  static constexpr std::size_t kTcpHeaders = kIpv4HeaderMin + 32;

  static std::uint32_t address_of(PeerId peer) { return 0x0a08'0001 + peer.value; }
  static AeadChoice choice_of(const Settings& settings) {
    AeadChoice choice;
    choice.set(settings.cipher, settings.engine);
    return choice;
  }
  static std::size_t super_size(const Settings& settings) {
    RW_ASSERT(settings.packet_size > kTcpHeaders);
    const std::size_t size = kTcpHeaders + kSuperPackets * (settings.packet_size - kTcpHeaders);
    RW_ASSERT(size <= 65'535);
    return size;
  }
  static DatapathSettings datapath_settings(const Settings& settings) {
    DatapathSettings datapath;
    datapath.own_v4 = IpAddress::v4(0x0a08'0001);
    datapath.pool_v4 = Prefix{.address = IpAddress::v4(0x0a08'0000), .length = 16};
    datapath.sessions_max = settings.peer_count + 1;
    datapath.aead = choice_of(settings);
    return datapath;
  }

  /// As LinkFeeder does: each datagram into the same memory.
  bool send_frame(const VnetHeader& header, MutableBytes packet) {
    auto frame = datapath_.route_frame(header, packet);
    if (!frame) return false;
    const auto target = datapath_.target_of(*frame);
    if (!target) return false;
    bool good = true;
    while (frame->segmenter.left_count() > 0) {
      good = datapath_.seal_next(*frame, *target, packet, out_, kNow).has_value() && good;
    }
    return good;
  }

  void connect(PeerId peer, const Settings& settings) {
    const std::uint32_t address = address_of(peer);
    Client& client = clients_.emplace_back();
    client.endpoint = {.remote = {.address = IpAddress::v4(0xc633'0000 + peer.value),
                                  .port = static_cast<std::uint16_t>(20000 + peer.value)},
                       .local = IpAddress::v4(0xc000'0201)};
    client.up = udp_packet({.source = address}, settings.packet_size);
    client.down = udp_packet({.source = 0xc000'0207, .destination = address}, settings.packet_size);
    const SessionSettings terms{.in_epochs = settings.in_epochs};
    client.session = std::make_unique<Session>(peer, client.endpoint, terms, kNow);
    datapath_.handle_command(
        AddSession{.peer_id = peer, .endpoint = client.endpoint, .settings = terms}, kNow);
    DataKeys ours;
    DataKeys theirs;
    ours.cipher = theirs.cipher = settings.cipher;
    ours.in_epochs = theirs.in_epochs = settings.in_epochs;
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
  Packet super_template_;
  Packet super_;
  VnetHeader super_header_;
};

}  // namespace ringway::bench
