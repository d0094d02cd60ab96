#include <gtest/gtest.h>

#include "base/opcode.h"
#include "dataplane/tun_writer.h"
#include "tests/dataplane/stream_client.h"
#include "tests/dataplane/worker_rig.h"

/// Clients over TCP at real workers with a real TUN, beside clients over UDP.
namespace ringway {
namespace {

using test::client_reset;
using test::counting_bytes;
using test::HostSocket;
using test::inner_packet;
using test::ip;
using test::kPatienceMs;
using test::Packet;
using test::payload_of;
using test::StreamClient;
using test::TunnelClient;
using test::WorkerRig;

/// A client over TCP, as far as a worker can tell.
class TcpClient {
 public:
  TcpClient(WorkerRig& rig, const char* server) : rig_(rig), link({ip(server), rig.tcp_port}) {
    link.send(client_reset());
    await_greeting();
    // The first number of the worker's that is not the other clients'.
    const std::uint32_t count = rig.group->size();
    const WorkerId worker = owner_of(endpoint.connection, rig.group->size());
    static std::uint32_t taken = 0;
    peer = {(10 + taken++ % 20) * count + worker.value};
    v4 = ip("10.8.0.10").plus(peer.value);
    v6 = ip("fd00:8::10").plus(peer.value);
    session_ = std::make_unique<Session>(peer, LinkEndpoint{}, SessionSettings{}, Instant{});
    DataKeys keys = test::make_peer_keys({0}, peer.value);
    keys.send_from = {};
    session_->keys().install(std::move(keys));
  }
  /// Lets it in.
  void connect() {
    const WorkerId owner = owner_of(peer, rig_.group->size());
    DataKeys keys = test::make_keys({0}, peer.value);
    keys.send_from = {};
    rig_.command(owner, AddSession{.peer_id = peer, .endpoint = endpoint, .settings = {}});
    rig_.command(owner, InstallKeys{.peer_id = peer, .keys = std::move(keys)});
    for (std::uint16_t worker = 0; worker < rig_.group->size(); ++worker) {
      for (const IpAddress& address : {v4, v6}) {
        rig_.command({worker}, AddRoute{.prefix = Prefix::host(address), .peer_id = peer});
      }
    }
  }
  [[nodiscard]] Worker& worker() const {
    return rig_.group->worker(owner_of(endpoint.connection, rig_.group->size()));
  }
  [[nodiscard]] Packet seal(Bytes inner) {
    Packet out(inner.size() + kDataOverheadMax);
    const auto datagram = session_->seal(inner, out, Instant{});
    return {datagram->begin(), datagram->end()};
  }
  [[nodiscard]] Packet receive(int patience_ms = kPatienceMs) {
    auto datagram = link.receive(patience_ms);
    if (!datagram) return {};
    const auto header = parse_data_header(*datagram);
    const auto opened = session_->open(header.value(), *datagram, Instant{});
    if (!opened) return {};
    return {opened->payload.begin(), opened->payload.end()};
  }

 private:
  WorkerRig& rig_;
  std::unique_ptr<Session> session_;

  void await_greeting() {
    const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
    while (monotonic_now() < deadline) {
      for (std::uint16_t i = 0; i < rig_.group->size(); ++i) {
        PacketRing& ring = rig_.group->worker({i}).to_control();
        ring.observe();
        const auto record = ring.front();
        if (!record) continue;
        if (record->origin.kind == PacketKind::ConnectionEnd) {  // Of an earlier client.
          ring.pop();
          continue;
        }
        EXPECT_EQ(owner_of(record->origin.endpoint.connection, rig_.group->size()), WorkerId{i});
        endpoint = record->origin.endpoint;
        ring.pop();
        return;
      }
      std::this_thread::yield();
    }
    ADD_FAILURE() << "the control thread hears of no reset";
  }

 public:
  StreamClient link;
  LinkEndpoint endpoint;
  PeerId peer;
  IpAddress v4;
  IpAddress v6;
};

/// The record that the control thread gets next of a connection.
std::optional<PacketKind> next_record(const TcpClient& client) {
  PacketRing& ring = client.worker().to_control();
  const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
  while (monotonic_now() < deadline) {
    ring.observe();
    if (const auto record = ring.front()) {
      const PacketKind kind = record->origin.kind;
      EXPECT_EQ(record->origin.endpoint, client.endpoint);
      ring.pop();
      return kind;
    }
    std::this_thread::yield();
  }
  return std::nullopt;
}

TEST(WorkerStream, CarriesPacketsBothWaysOverBothFamilies) {
  for (const Offloads& offloads :
       {Offloads{.link_gso = false, .link_gro = false, .tun = {}}, test::kUplinkOffloads}) {
    WorkerRig rig({.workers = 2, .offloads = offloads, .tcp = true});
    const HostSocket v4(rig.server_v4);
    const HostSocket v6(rig.server_v6);
    for (const char* server : {"127.0.0.1", "::1", "127.0.0.1", "::1"}) {
      TcpClient client(rig, server);
      client.connect();
      for (const HostSocket* host : {&v4, &v6}) {
        const Endpoint from{host->local().address.is_v4() ? client.v4 : client.v6, 5000};
        client.link.send(client.seal(inner_packet(from, host->local(), test::kHello)));
        const auto received = host->receive();
        ASSERT_TRUE(received.has_value());
        EXPECT_EQ(received->from.remote, from);

        host->send(from, test::kHello);
        EXPECT_TRUE(std::ranges::equal(payload_of(client.receive()), test::kHello));
      }
    }
  }
}

TEST(WorkerStream, EndsTheConnectionsOfStrangersAloneAfterTheHandWindow) {
  WorkerRig rig({.tcp = true, .hand_window = 3s});
  TcpClient awaited(rig, "127.0.0.1");
  TcpClient joining(rig, "::1");
  rig.command({0}, KnowChannel{.endpoint = awaited.endpoint, .session = {}, .is_awaited = true});
  rig.command({0},
              KnowChannel{.endpoint = joining.endpoint, .session = {}, .is_established = true});
  TcpClient stranger(rig, "127.0.0.1");

  EXPECT_TRUE(stranger.link.has_ended());
  EXPECT_FALSE(awaited.link.has_ended(0));
  EXPECT_FALSE(joining.link.has_ended(0));
}

TEST(WorkerStream, TakesMoreSmallPacketsThanTheTunWriterTakesOfABuffer) {
  WorkerRig rig({.offloads = test::kUplinkOffloads, .tcp = true});
  const HostSocket host(rig.server_v4);
  TcpClient client(rig, "127.0.0.1");
  client.connect();
  // A known packet first: what follows meets a session.
  constexpr std::size_t kCount = 3 * TunWriter::kBufferPacketsMax;
  Packet stream;
  for (std::size_t i = 0; i < kCount; ++i) {
    const Packet datagram = client.seal(inner_packet(
        {client.v4, 5000}, host.local(), counting_bytes(20, static_cast<std::uint8_t>(i))));
    stream.push_back(0);
    stream.push_back(static_cast<std::uint8_t>(datagram.size()));
    stream.insert(stream.end(), datagram.begin(), datagram.end());
  }
  client.link.write(stream);

  for (std::size_t i = 0; i < kCount; ++i) {
    const auto received = host.receive();
    ASSERT_TRUE(received.has_value()) << i;
    ASSERT_EQ(received->datagram[0], static_cast<std::uint8_t>(i));
  }
}

TEST(WorkerStream, ForwardsBetweenClientsOverTcpAndUdp) {
  WorkerRig rig({.workers = 2, .client_to_client = true, .tcp = true});
  TunnelClient& udp = rig.connect({0});
  TcpClient tcp(rig, "::1");
  tcp.connect();
  TcpClient other(rig, "127.0.0.1");
  other.connect();

  tcp.link.send(tcp.seal(inner_packet({tcp.v4, 5000}, {udp.v4, 6000}, test::kHello)));
  EXPECT_TRUE(std::ranges::equal(payload_of(udp.receive()), test::kHello));
  udp.send(inner_packet({udp.v6, 5000}, {tcp.v6, 6000}, test::kHello));
  EXPECT_TRUE(std::ranges::equal(payload_of(tcp.receive()), test::kHello));
  other.link.send(other.seal(inner_packet({other.v4, 5000}, {tcp.v4, 6000}, test::kHello)));
  EXPECT_TRUE(std::ranges::equal(payload_of(tcp.receive()), test::kHello));
}

TEST(WorkerStream, SaysWhatTheControlThreadSaysAndEndsTheConnectionBehindIt) {
  WorkerRig rig({.tcp = true});
  TcpClient client(rig, "::1");
  for (std::uint8_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.worker().send(client.endpoint, counting_bytes(1000, i)));
  }
  ASSERT_TRUE(client.worker().send(client.endpoint, {}));
  client.worker().wake();

  for (std::uint8_t i = 0; i < 50; ++i) EXPECT_EQ(client.link.receive(), counting_bytes(1000, i));
  EXPECT_TRUE(client.link.has_ended());
  EXPECT_FALSE(client.link.was_reset());
  client.link.close();
  EXPECT_EQ(next_record(client), PacketKind::ConnectionEnd);
}

TEST(WorkerStream, TellsTheControlThreadOfAnEndBehindTheLastDatagram) {
  WorkerRig rig({.tcp = true});
  TcpClient client(rig, "::1");
  client.link.send(Packet(20, first_byte(Opcode::ControlV1, {0})));
  client.link.close();

  EXPECT_EQ(next_record(client), PacketKind::ControlDatagram);
  EXPECT_EQ(next_record(client), PacketKind::ConnectionEnd);
}

TEST(WorkerStream, EndsAConnectionOnAPacketThatDoesNotAuthenticateAndOnNoOther) {
  WorkerRig rig({.tcp = true});
  const HostSocket host(rig.server_v4);
  TcpClient client(rig, "127.0.0.1");
  client.connect();
  // From an address that is not the client's: dropped, as over UDP.
  client.link.send(client.seal(inner_packet({ip("10.8.0.9"), 1}, host.local(), test::kHello)));
  client.link.send(client.seal(inner_packet({client.v4, 5000}, host.local(), test::kHello)));
  ASSERT_TRUE(host.receive().has_value());

  Packet forged = client.seal(inner_packet({client.v4, 5000}, host.local(), test::kHello));
  forged.back() ^= 1;
  client.link.send(forged);

  EXPECT_TRUE(client.link.has_ended());
  EXPECT_EQ(next_record(client), PacketKind::ConnectionEnd);
  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Drop::BadTag) == 1; }));
}

TEST(WorkerStream, DropsWhatWaitsTooLongForASlowClientAndServesTheOthers) {
  WorkerRig rig({.tcp = true});
  const HostSocket host(rig.server_v4);
  TcpClient slow(rig, "::1");
  slow.connect();
  TunnelClient& udp = rig.connect({0});
  TcpClient other(rig, "::1");
  other.connect();

  const Packet large = counting_bytes(1400);
  const auto has_dropped = [](const CounterSnapshot& now) {
    return now.of(Drop::Sojourn) + now.of(Drop::QueueOverflow) > 100;
  };
  const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
  while (!has_dropped(rig.group->counters()) && monotonic_now() < deadline) {
    for (int i = 0; i < 50; ++i) host.send({slow.v4, 5000}, large);
  }
  EXPECT_TRUE(has_dropped(rig.group->counters()));
  EXPECT_GT(rig.group->counters().of(Counter::StreamWaits), 0u);

  test::expect_both_ways(udp, host, test::kHello);
  host.send({other.v4, 5000}, test::kHello);
  EXPECT_TRUE(std::ranges::equal(payload_of(other.receive()), test::kHello));
}

TEST(WorkerStream, IsTakenApartWithStreamsInAllStages_E01) {
  WorkerRig rig({.workers = 2, .tcp = true});
  const StreamClient silent({ip("::1"), rig.tcp_port});
  TcpClient half_open(rig, "127.0.0.1");
  TcpClient client(rig, "::1");
  client.connect();
  const HostSocket host(rig.server_v4);
  for (int i = 0; i < 2000; ++i) host.send({client.v4, 5000}, counting_bytes(1400));
  client.link.send(client.seal(inner_packet({client.v4, 5000}, host.local(), test::kHello)));
  rig.group->stop();
}

}  // namespace
}  // namespace ringway
