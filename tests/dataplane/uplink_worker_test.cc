#include <gtest/gtest.h>

#include <algorithm>

#include "base/opcode.h"
#include "tests/dataplane/worker_rig.h"

/// Trains of datagrams from real clients through a real worker into a real TUN.
namespace ringway {
namespace {

using test::counting_bytes;
using test::HostSocket;
using test::inner_packet;
using test::ip;
using test::kUplinkOffloads;
using test::Packet;
using test::TunnelClient;
using test::WorkerRig;

constexpr std::size_t kPayload = 1000;

Packet payload_number(std::size_t number, std::size_t size = kPayload) {
  return counting_bytes(size, static_cast<std::uint8_t>(number));
}

/// Packets of one UDP flow from the client to the host.
std::vector<Packet> udp_train(const TunnelClient& client, const HostSocket& host, std::size_t count,
                              std::uint16_t port = 5000) {
  const bool v4 = host.local().address.is_v4();
  const Endpoint from{.address = v4 ? client.v4 : client.v6, .port = port};
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < count; ++i) {
    packets.push_back(inner_packet(from, host.local(), payload_number(i)));
  }
  return packets;
}

void expect_in_order(const HostSocket& host, const std::vector<std::size_t>& numbers) {
  for (const std::size_t number : numbers) {
    const auto received = host.receive();
    ASSERT_TRUE(received.has_value()) << number;
    ASSERT_TRUE(received->datagram == payload_number(number)) << number;
  }
}

std::vector<std::size_t> up_to(std::size_t count) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(UplinkWorker, WritesATrainOfOneUdpFlowAsOneSuperPacket) {
  for (const char* server : {"127.0.0.1", "::1"}) {
    WorkerRig rig({.offloads = kUplinkOffloads});
    for (const IpAddress& inner : {rig.server_v4, rig.server_v6}) {
      const HostSocket host(inner);
      TunnelClient& client = rig.connect({inner.is_v4() ? 0u : 1u}, ip(server));

      client.send_train(udp_train(client, host, 40));

      expect_in_order(host, up_to(40));
    }
    EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
      return counters.of(Counter::LinkReceivedPackets) == 80 &&
             counters.of(Counter::LinkReceivedTrains) == 2 &&
             counters.of(Counter::TunSentPackets) == 80 &&
             counters.of(Counter::TunMergedPackets) == 80 &&
             counters.of(Counter::TunWrittenFrames) == 2;
    }));
  }
}

TEST(UplinkWorker, TheKernelTakesTcpSuperPacketsOfBothFamilies) {
  WorkerRig rig({.offloads = kUplinkOffloads});
  TunnelClient& client = rig.connect({0});
  for (const bool v4 : {true, false}) {
    std::vector<Packet> packets;
    for (std::uint32_t i = 0; i < 40; ++i) {
      Packet packet = test::tcp_packet(v4, payload_number(i), {.sequence = 1000 + i * 1000});
      const IpAddress& source = v4 ? client.v4 : client.v6;
      std::ranges::copy(source.wire(), packet.begin() + (v4 ? 12 : 8));
      const std::size_t transport = v4 ? kIpv4HeaderMin : kIpv6HeaderSize;
      if (v4) {
        store_be16(packet.data() + 10, 0);
        store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(20)));
      }
      store_be16(packet.data() + transport + 16,
                 test::reference_transport_checksum(packet, transport, transport + 16));
      packets.push_back(std::move(packet));
    }
    client.send_train(packets);
  }

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunMergedPackets) == 80 &&
           counters.of(Counter::TunWrittenFrames) == 2;
  }));
  EXPECT_EQ(rig.group->counters().of(Drop::TunWriteFailed), 0u);
}

TEST(UplinkWorker, KeepsTheFlowsOfATrainApartAndInOrder) {
  WorkerRig rig({.offloads = kUplinkOffloads});
  const HostSocket hosts[] = {HostSocket(rig.server_v4), HostSocket(rig.server_v4),
                              HostSocket(rig.server_v4)};
  TunnelClient& client = rig.connect({0});
  std::vector<Packet> packets;
  std::vector<Packet> flows[3];
  for (std::size_t flow = 0; flow < 3; ++flow) flows[flow] = udp_train(client, hosts[flow], 16);
  for (std::size_t i = 0; i < 16; ++i) {
    for (const auto& flow : flows) packets.push_back(flow[i]);
  }

  client.send_train(packets);

  for (const HostSocket& host : hosts) expect_in_order(host, up_to(16));
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunWrittenFrames) == 3 &&
           counters.of(Counter::TunSentPackets) == 48;
  }));
}

TEST(UplinkWorker, SendsAPacketWithABrokenChecksumAloneAndAsItCame_F02) {
  WorkerRig rig({.offloads = kUplinkOffloads});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  auto packets = udp_train(client, host, 9);
  packets[4][kIpv4HeaderMin + 6] ^= 0x10;

  client.send_train(packets);

  // The host's own stack refuses it.
  expect_in_order(host, {0, 1, 2, 3, 5, 6, 7, 8});
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunWrittenFrames) == 3 &&
           counters.of(Counter::TunMergedPackets) == 8 && counters.of(Counter::TunSentPackets) == 9;
  }));
}

TEST(UplinkWorker, NeverMergesAcrossADifferenceInEcn) {
  WorkerRig rig({.offloads = kUplinkOffloads});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  auto packets = udp_train(client, host, 8);
  for (std::size_t i = 4; i < 8; ++i) {
    packets[i][1] |= 3;
    store_be16(packets[i].data() + 10, 0);
    store_be16(packets[i].data() + 10, test::reference_checksum(Bytes(packets[i]).first(20)));
  }

  client.send_train(packets);

  expect_in_order(host, up_to(8));
  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::TunWrittenFrames) == 2; }));
}

TEST(UplinkWorker, WritesPacketByPacketWhereTheTunHasNoOffloads) {
  WorkerRig rig({.offloads = {.link_gso = false, .link_gro = true, .tun = {}}});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});

  client.send_train(udp_train(client, host, 40));

  expect_in_order(host, up_to(40));
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunWrittenFrames) == 40 &&
           counters.of(Counter::LinkReceivedTrains) == 1 &&
           counters.of(Counter::TunMergedPackets) == 0;
  }));
}

TEST(UplinkWorker, TakesTheDatagramsOfATrainEachForWhatItIs) {
  WorkerRig rig({.client_to_client = true, .offloads = kUplinkOffloads});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  TunnelClient& neighbour = rig.connect({1});
  const Endpoint from{.address = client.v4, .port = 5000};
  const Packet for_host = inner_packet(from, host.local(), payload_number(0));
  const Packet for_neighbour = inner_packet(from, {neighbour.v4, 6000}, payload_number(1));
  Packet control = client.seal(for_host);
  control[0] = first_byte(Opcode::ControlV1, {0});
  Packet forged = client.seal(for_host);
  forged.back() ^= 1;

  client.link.send_train({client.seal(for_host), control, client.seal(for_neighbour), forged,
                          client.seal(for_host), client.seal(Packet(10))});

  expect_in_order(host, {0, 0});
  EXPECT_TRUE(std::ranges::equal(test::payload_of(neighbour.receive()), payload_number(1)));
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkReceivedTrains) == 1 &&
           counters.of(Counter::ControlDatagrams) == 1 && counters.of(Drop::BadTag) == 1 &&
           counters.of(Drop::MalformedInner) == 1 && counters.of(Counter::TunSentPackets) == 2;
  }));
}

TEST(UplinkWorker, DropsADatagramThatIsLargerThanAnyOfOurs_E05) {
  WorkerRig rig({.offloads = kUplinkOffloads});
  TunnelClient& client = rig.connect({0});

  client.link.send(Packet(9000, first_byte(Opcode::DataV2, {0})));
  client.link.send(Packet(60000, first_byte(Opcode::HardResetClientV2, {0})));

  // The data packet has room in the buffer of a train, and names nobody.
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Drop::Oversize) == 1 && counters.of(Drop::UnknownPeer) == 1;
  }));
}

TEST(UplinkWorker, LosesNothingWhenItsBuffersRunOut_E03) {
  // All of it waits in the socket before the first is received: more trains than buffers, however
  // fast the worker is.
  WorkerRig rig(
      {.starts = false, .limits = {.link_receive_trains_size = 1}, .offloads = kUplinkOffloads});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  const auto packets = udp_train(client, host, 40);

  for (int i = 0; i < 50; ++i) client.send_train(packets);
  rig.start();

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunSentPackets) == 2000;
  }));
  EXPECT_GT(rig.group->counters().of(Counter::LinkReceiveStarved), 0u);
}

TEST(UplinkWorker, PassesTrainsOnToTheWorkerThatOwnsThePeer) {
  WorkerRig rig({.workers = 2, .steer_link = false, .offloads = kUplinkOffloads});
  const HostSocket host(rig.server_v4);
  // The kernel's hash decides: of so many clients, some meet the other worker.
  constexpr std::uint32_t kClients = 32;
  for (std::uint32_t peer = 0; peer < kClients; ++peer) {
    TunnelClient& client = rig.connect({peer});
    client.send_train(udp_train(client, host, 20));
    expect_in_order(host, up_to(20));
  }

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunSentPackets) == kClients * 20 &&
           counters.of(Counter::TakenOverPackets) > 0;
  }));
}

TEST(UplinkWorker, EndsAtOnceInTheMiddleOfTrains_E01) {
  for (int round = 0; round < 5; ++round) {
    WorkerRig rig({.workers = 2, .offloads = kUplinkOffloads});
    const HostSocket host(rig.server_v4);
    TunnelClient& client = rig.connect({0});
    const auto packets = udp_train(client, host, 40);
    for (int i = 0; i < 20; ++i) client.send_train(packets);

    const Instant before = monotonic_now();
    rig.group->stop();

    EXPECT_LT(monotonic_now() - before, 2s);
  }
}

}  // namespace
}  // namespace ringway
