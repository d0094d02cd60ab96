#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/dataplane/worker_rig.h"
#include "tests/support/offload_sets.h"

// Super-packets of a real TUN on their way to clients.
namespace ringway {
namespace {

using test::HostSocket;
using test::inner_packet;
using test::ip;
using test::kAll;
using test::kNone;
using test::Packet;
using test::payload_of;
using test::TunnelClient;
using test::WorkerRig;

bool has_right_checksum(const Packet& packet) {
  const auto parsed = parse_ip_packet(packet);
  if (!parsed) return false;
  const std::size_t field =
      parsed->header_size + std::size_t{parsed->protocol == ip_protocol::kTcp ? 16u : 6u};
  return load_be16(packet.data() + field) ==
         test::reference_transport_checksum(packet, parsed->header_size, field);
}

/// The host sends `datagrams` of `size` bytes and one of `last_size`, by one call: the kernel gives
/// the TUN a super-packet where it takes them.
void send_burst(const HostSocket& host, const Endpoint& to, std::size_t datagrams,
                std::uint16_t size, std::size_t last_size, std::uint8_t start = 0) {
  const Packet bytes = test::counting_bytes(datagrams * size + last_size, start);
  OutgoingMessage message;
  message.prepare({.remote = to, .local = host.local().address}, host.socket().is_ipv6(), bytes,
                  size);
  ASSERT_EQ(::sendmsg(host.socket().fd(), &message.header(), 0), static_cast<ssize_t>(bytes.size()))
      << std::strerror(errno);
}

/// What such a burst must be when it arrives.
void expect_burst(TunnelClient& client, std::size_t datagrams, std::uint16_t size,
                  std::size_t last_size, std::uint8_t start = 0) {
  const Packet bytes = test::counting_bytes(datagrams * size + last_size, start);
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const Packet packet = client.receive();
    ASSERT_FALSE(packet.empty()) << at;
    EXPECT_TRUE(has_right_checksum(packet)) << at;
    const std::size_t expected = std::min<std::size_t>(size, bytes.size() - at);
    ASSERT_TRUE(std::ranges::equal(payload_of(packet), Bytes(bytes).subspan(at, expected))) << at;
  }
}

/// Just enough of TCP behind a TunnelClient to receive what the host sends.
class InnerTcp {
 public:
  InnerTcp(TunnelClient& client, const IpAddress& host) : client_(client), host_(host) {
    fd_ = UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int size = 4 << 20;
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size), 0);
    // Nothing of this connection shall be sent after it, into the next test.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    const IpAddress& to = host.is_v4() ? client.v4 : client.v6;
    const SocketName name = SocketName::of({.address = to, .port = 5000}, true);
    EXPECT_EQ(::connect(fd_.get(), name.get(), name.size), -1);
    EXPECT_EQ(errno, EINPROGRESS);
    answer_syn();
  }
  void send(Bytes bytes) const {
    pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(::poll(&writable, 1, test::kPatienceMs), 1);
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Everything up to `size` bytes, acknowledging each segment.
  Packet receive(std::size_t size) {
    Packet received;
    while (received.size() < size) {
      const Packet packet = client_.receive();
      if (packet.empty()) return received;
      EXPECT_TRUE(has_right_checksum(packet));
      const auto parsed = parse_ip_packet(packet);
      const auto tcp = parsed->tcp();
      if (!tcp || tcp->payload.empty()) continue;
      if (tcp->sequence != next_) {
        ++out_of_order_count;
      } else {
        received.insert(received.end(), tcp->payload.begin(), tcp->payload.end());
        next_ += static_cast<std::uint32_t>(tcp->payload.size());
      }
      answer(tcp_flag::kAck, {});
    }
    return received;
  }
  std::size_t out_of_order_count = 0;

 private:
  void answer_syn() {
    Packet syn;
    std::optional<TcpHeader> tcp;
    // An earlier connection may still say goodbye.
    while (!tcp || (tcp->flags & tcp_flag::kSyn) == 0) {
      syn = client_.receive();
      const auto parsed = parse_ip_packet(syn);
      ASSERT_TRUE(parsed.has_value());
      tcp = parsed->tcp();
    }
    host_port_ = tcp->source_port;
    next_ = tcp->sequence + 1;
    // An MSS of 1,360 and windows of 16 MiB.
    answer(tcp_flag::kSyn | tcp_flag::kAck, {2, 4, 0x05, 0x50, 1, 3, 3, 8});
    own_ += 1;
    answer(tcp_flag::kAck, {});
  }
  void answer(std::uint8_t flags, const Packet& options) {
    const bool v4 = host_.is_v4();
    Packet packet = test::tcp_packet(v4, {},
                                     {.source_port = 5000,
                                      .destination_port = host_port_,
                                      .sequence = own_,
                                      .acknowledgement = next_,
                                      .flags = flags,
                                      .window = 0xffff,
                                      .options = options});
    const auto at = packet.begin() + (v4 ? 12 : 8);
    const IpAddress own = v4 ? client_.v4 : client_.v6;
    std::ranges::copy(own.wire(), at);
    std::ranges::copy(host_.wire(), at + static_cast<std::ptrdiff_t>(own.wire().size()));
    const std::size_t transport = v4 ? kIpv4HeaderMin : kIpv6HeaderSize;
    if (v4) {
      store_be16(packet.data() + 10, 0);
      store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(kIpv4HeaderMin)));
    }
    store_be16(packet.data() + transport + 16,
               test::reference_transport_checksum(packet, transport, transport + 16));
    client_.send(packet);
  }

  TunnelClient& client_;
  IpAddress host_;
  UniqueFd fd_;
  std::uint16_t host_port_ = 0;
  std::uint32_t own_ = 77;
  std::uint32_t next_ = 0;
};

TEST(WorkerDownlink, CarriesATcpDownloadOfSuperPacketsInBothFamilies) {
  for (const Offloads& offloads : {kAll, kNone}) {
    WorkerRig rig({.offloads = offloads});
    TunnelClient& client = rig.connect({0});
    for (const IpAddress& host : {rig.server_v4, rig.server_v6}) {
      InnerTcp tcp(client, host);
      const Packet bytes = test::counting_bytes(3 << 20, 9);

      tcp.send(bytes);

      EXPECT_TRUE(tcp.receive(bytes.size()) == bytes);
      EXPECT_EQ(tcp.out_of_order_count, 0u);
    }
    const CounterSnapshot counters = rig.group->counters();
    if (offloads.link_gso) {
      EXPECT_GT(counters.of(Counter::TunReceivedFrames), 20u);
      EXPECT_GT(counters.of(Counter::LinkSentTrains), 20u);
    } else {
      EXPECT_EQ(counters.of(Counter::TunReceivedFrames), 0u);
      EXPECT_EQ(counters.of(Counter::LinkSentTrains), 0u);
    }
    EXPECT_EQ(counters.of(Counter::LinkRefusedTrains), 0u);
  }
}

TEST(WorkerDownlink, CutsUdpSuperPacketsWithEveryByteRight_F01) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = rig.connect({0}, ip("::1"), {.path = PathKind::Stream});
  for (const IpAddress& address : {rig.server_v4, rig.server_v6}) {
    const HostSocket host(address);
    const Endpoint to{.address = address.is_v4() ? client.v4 : client.v6, .port = 5000};
    for (const std::uint16_t size : std::to_array<std::uint16_t>({1, 100, 500, 1000, 1400})) {
      const std::size_t count = std::min<std::size_t>(63, 60'000 / size - 1);
      send_burst(host, to, count, size, static_cast<std::uint16_t>(size / 2),
                 static_cast<std::uint8_t>(size));
      expect_burst(client, count, size, size / 2, static_cast<std::uint8_t>(size));
    }
  }
  EXPECT_EQ(rig.group->counters().of(Counter::TunReceivedFrames), 10u);
  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::LinkSentTrains) >= 10; }));
}

TEST(WorkerDownlink, FinishesTheChecksumOfASinglePacket) {
  WorkerRig rig({.offloads = {.link_gso = false, .link_gro = false, .tun = {.checksum = true}}});
  TunnelClient& client = rig.connect({0});
  const HostSocket host(rig.server_v4);

  host.send({client.v4, 5000}, test::counting_bytes(1000));

  const Packet packet = client.receive();
  ASSERT_FALSE(packet.empty());
  EXPECT_TRUE(has_right_checksum(packet));
  EXPECT_TRUE(std::ranges::equal(payload_of(packet), test::counting_bytes(1000)));
}

TEST(WorkerDownlink, WorksWithEveryMixtureOfOffloads) {
  for (const bool link_gso : {false, true}) {
    for (const TunOffloads& tun :
         {TunOffloads{}, TunOffloads{.checksum = true}, TunOffloads{.checksum = true, .tcp = true},
          TunOffloads{.checksum = true, .tcp = true, .udp = true}}) {
      for (const bool multishot : {false, true}) {
        WorkerRig rig({.multishot_tun_reads = multishot,
                       .offloads = {.link_gso = link_gso, .link_gro = false, .tun = tun}});
        TunnelClient& client = rig.connect({0});
        const HostSocket host(rig.server_v6);
        send_burst(host, {client.v6, 5000}, 30, 1300, 700);
        expect_burst(client, 30, 1300, 700);
        InnerTcp tcp(client, rig.server_v4);
        const Packet bytes = test::counting_bytes(300'000);
        tcp.send(bytes);
        EXPECT_TRUE(tcp.receive(bytes.size()) == bytes);
      }
    }
  }
}

TEST(WorkerDownlink, SendsSinglePacketsOfOneClientInTrains) {
  // All of them wait in the TUN: the worker meets no packet alone, however fast it is.
  WorkerRig rig({.starts = false, .offloads = {.link_gso = true, .link_gro = false, .tun = {}}});
  TunnelClient& client = rig.connect({0});
  const HostSocket host(rig.server_v4);
  for (int round = 0; round < 10; ++round) send_burst(host, {client.v4, 5000}, 30, 1000, 1000);

  rig.start();

  for (int round = 0; round < 10; ++round) expect_burst(client, 30, 1000, 1000);
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkSentPackets) >= 10u * 31 &&
           counters.of(Counter::LinkSentTrains) > 0;
  }));
}

TEST(WorkerDownlink, HandsASuperPacketOverPacketByPacket) {
  WorkerRig rig({.workers = 2, .offloads = kAll});
  TunnelClient& even = rig.connect({0});
  TunnelClient& odd = rig.connect({1});
  // Without a steering program the kernel's hash decides, so that some flow meets another worker.
  for (int i = 0; i < 16; ++i) {
    const HostSocket host(rig.server_v4);
    for (TunnelClient* const client : {&even, &odd}) {
      send_burst(host, {client->v4, 5000}, 20, 1000, 10);
      expect_burst(*client, 20, 1000, 10);
    }
  }
  EXPECT_GT(rig.group->counters().of(Counter::HandedOverPackets), 0u);
}

// A slow link: what is too much is dropped from the greedy client, by name, and the quiet one's
// packets come through.
TEST(WorkerDownlink, AGreedyClientDoesNotStarveAQuietOneOnASlowLink_C09) {
  WorkerRig rig({.offloads = kAll, .send_buffer_size = 64 << 10});
  TunnelClient& greedy = rig.connect({0});
  TunnelClient& quiet = rig.connect({1});
  const HostSocket host(rig.server_v4);
  test::run("tc qdisc add dev lo root tbf rate 50mbit burst 70000 limit 10000000");

  std::size_t arrived = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 10; ++i) send_burst(host, {greedy.v4, 5000}, 40, 1400, 100);
    host.send({quiet.v4, 5000}, test::counting_bytes(60));
    if (!quiet.receive(1000).empty()) ++arrived;
  }

  const CounterSnapshot counters = rig.group->counters();
  // Not all 50: a worker that gets no core for a while finds even the quiet one's packet too old,
  // and on a busy machine, under a sanitizer, a dozen were.
  EXPECT_GE(arrived, 25u);
  EXPECT_GT(counters.of(Drop::QueueOverflow) + counters.of(Drop::Sojourn), 1000u);
  EXPECT_EQ(counters.of(Drop::SendFailed), 0u);
  test::run("tc qdisc del dev lo root");
}

// What a slow link could not take was dropped, so that nothing is left to be sent when the socket
// has room again.
TEST(WorkerDownlink, SleepsAfterABurstThatASlowLinkCouldNotTake_R16) {
  WorkerRig rig({.offloads = kAll, .send_buffer_size = 64 << 10});
  TunnelClient& client = rig.connect({0});
  const HostSocket host(rig.server_v4);
  test::run("tc qdisc add dev lo root tbf rate 20mbit burst 70000 limit 10000000");

  for (int i = 0; i < 20; ++i) send_burst(host, {client.v4, 5000}, 40, 1400, 100);
  constexpr int kQuietMs = 200;
  while (!client.receive(kQuietMs).empty()) continue;
  const CounterSnapshot before = rig.group->counters();
  EXPECT_TRUE(client.receive(kQuietMs).empty());

  const CounterSnapshot after = rig.group->counters();
  EXPECT_GT(after.of(Drop::Sojourn), 0u);
  EXPECT_LT(after.of(Counter::LoopTurns) - before.of(Counter::LoopTurns), 10u);
  test::run("tc qdisc del dev lo root");
}

TEST(WorkerDownlink, DropsNothingWhileTheSocketTakesMore) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = rig.connect({0});
  const HostSocket host(rig.server_v4);

  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) send_burst(host, {client.v4, 5000}, 40, 1400, 100);
    for (int i = 0; i < 10; ++i) expect_burst(client, 40, 1400, 100);
  }

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkSentPackets) == 20u * 10 * 41;
  }));
  const CounterSnapshot counters = rig.group->counters();
  EXPECT_EQ(counters.of(Drop::QueueOverflow), 0u);
  EXPECT_EQ(counters.of(Drop::Sojourn), 0u);
}

TEST(WorkerDownlink, GoesOnWhereTheSendBuffersEndInTheMiddleOfAFrame_E01) {
  WorkerRig rig({.starts = false,
                 .limits = {.tun_receive_super_size = 1, .send_trains_size = 1},
                 .offloads = kAll});
  TunnelClient& client = rig.connect({0});
  const HostSocket host(rig.server_v4);

  // Datagrams of ever smaller sizes close a train each: more trains than there are buffers.
  for (std::uint8_t i = 0; i < 40; ++i) {
    send_burst(host, {client.v4, 5000}, 20, 1000, 900 - i, i);
  }

  rig.start();

  for (std::uint8_t i = 0; i < 40; ++i) expect_burst(client, 20, 1000, 900 - i, i);
}

TEST(WorkerDownlink, LearnsFromARefusedTrainThatTheRouteIsTooNarrow_E08) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = rig.connect({0}, test::ip("127.0.0.1"), {.path = PathKind::Searched});
  const HostSocket host(rig.server_v4);
  test::run("ip link set lo mtu 1300");

  // 1,380 bytes outside, which is less than is assumed of a path.
  send_burst(host, {client.v4, 5000}, 30, 1300, 100);

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkRefusedTrains) == 1 && counters.of(Drop::SendFailed) >= 30 &&
           counters.of(Counter::PathHints) >= 1;
  }));
  EXPECT_TRUE(rig.eventually(
      [&](const CounterSnapshot&) { return rig.group->traffic().of({0})->path_mtu == 1280; }));
  test::run("ip link set lo mtu 65536");
}

}  // namespace
}  // namespace ringway
