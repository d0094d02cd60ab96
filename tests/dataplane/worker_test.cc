#include "dataplane/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "base/opcode.h"
#include "tests/dataplane/worker_rig.h"

namespace ringway {
namespace {

using test::expect_both_ways;
using test::HostSocket;
using test::inner_packet;
using test::ip;
using test::kHello;
using test::Packet;
using test::TunnelClient;
using test::WorkerRig;

TEST(Worker, CarriesPacketsBothWaysOverBothFamiliesInBothFamilies) {
  WorkerRig rig;
  const HostSocket host_v4(rig.server_v4);
  const HostSocket host_v6(rig.server_v6);
  TunnelClient& over_v4 = rig.connect({0}, ip("127.0.0.1"));
  TunnelClient& over_v6 = rig.connect({1}, ip("::1"));

  for (TunnelClient* client : {&over_v4, &over_v6}) {
    for (const HostSocket* host : {&host_v4, &host_v6}) expect_both_ways(*client, *host, kHello);
  }

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkReceivedPackets) == 4 &&
           counters.of(Counter::TunSentPackets) == 4 && counters.of(Counter::LinkSentPackets) >= 4;
  }));
}

TEST(Worker, CarriesPacketsOfEverySizeUpToTheMtu) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  // Over a path that takes all of them.
  TunnelClient& client = rig.connect({0}, ip("127.0.0.1"), {.path = PathKind::Stream});

  for (const std::size_t size : {0u, 1u, 1000u, 1471u, 1472u}) {
    expect_both_ways(client, host, test::counting_bytes(size));
  }
}

TEST(Worker, ReadsTheTunPacketByPacketWhereTheKernelCannotDoBetter) {
  WorkerRig rig({.multishot_tun_reads = false});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});

  for (int i = 0; i < 100; ++i) expect_both_ways(client, host, kHello);

  EXPECT_GT(rig.group->counters().of(Counter::TunReadArmed), 100u);
}

TEST(Worker, ArmsItsReceivesOnceAndNotForEachPacket_E04) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});

  for (int i = 0; i < 100; ++i) expect_both_ways(client, host, kHello);

  EXPECT_EQ(rig.group->counters().of(Counter::LinkReceiveArmed), 1u);
  EXPECT_EQ(rig.group->counters().of(Counter::TunReadArmed), 1u);
}

// An empty datagram, which anybody can send, ends a multishot receive.
TEST(Worker, ArmsAReceiveThatHasEnded_E04) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});

  for (int i = 0; i < 5; ++i) {
    client.link.send({});
    expect_both_ways(client, host, kHello);
  }

  EXPECT_EQ(rig.group->counters().of(Counter::LinkReceiveArmed), 6u);
  EXPECT_EQ(rig.group->counters().of(Drop::Truncated), 5u);
}

TEST(Worker, GivesControlDatagramsToTheControlThreadUntouched) {
  WorkerRig rig;
  const test::LinkClient client({ip("::1"), rig.port});
  Packet reset = test::counting_bytes(14);
  reset[0] = first_byte(Opcode::HardResetClientV2, {0});

  client.send(reset);

  ASSERT_TRUE(test::is_readable(rig.group->control_bell().fd()));
  rig.group->control_bell().silence();
  PacketRing& ring = rig.group->worker({0}).to_control();
  ASSERT_TRUE(ring.observe());
  const auto record = ring.front();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->origin.kind, PacketKind::ControlDatagram);
  EXPECT_EQ(record->origin.endpoint.remote, client.local());
  EXPECT_EQ(record->origin.endpoint.local, ip("::1"));
  EXPECT_TRUE(std::ranges::equal(record->bytes, reset));
}

TEST(Worker, DropsAndCountsControlDatagramsThatNobodyCollects) {
  WorkerRig rig({.limits = {.control_ring_size = 4096}});
  const test::LinkClient client({ip("127.0.0.1"), rig.port});
  Packet reset = test::counting_bytes(1000);
  reset[0] = first_byte(Opcode::HardResetClientV2, {0});

  for (int i = 0; i < 20; ++i) client.send(reset);

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Drop::QueueFull) == 17 && counters.of(Counter::ControlDatagrams) == 3;
  }));
}

TEST(Worker, DropsADatagramThatIsLargerThanItsBuffers_E05) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});

  client.link.send(Packet(9000, first_byte(Opcode::DataV2, {0})));

  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Drop::Oversize) == 1; }));
  expect_both_ways(client, host, kHello);
}

TEST(Worker, RecoversWhenItsBuffersRanOut_E03) {
  // All datagrams wait in the socket before the first is received: more than there are buffers,
  // however fast the worker is.
  WorkerRig rig(
      {.starts = false, .limits = {.link_receive_size = 1, .tun_receive_size = 1, .send_size = 1}});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  const Endpoint from{.address = client.v4, .port = 5000};
  const Packet inner = inner_packet(from, host.local(), kHello);

  for (int i = 0; i < 500; ++i) client.send(inner);
  rig.start();
  for (int i = 0; i < 500; ++i) host.send(from, kHello);

  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::TunSentPackets) == 500; }));
  EXPECT_GT(rig.group->counters().of(Counter::LinkReceiveStarved), 0u);
  while (host.receive(0)) continue;
  while (!client.receive(100).empty()) continue;
  expect_both_ways(client, host, kHello);
}

TEST(Worker, CountsADatagramThatCannotBeSentAndGoesOn_E07) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  TunnelClient& unreachable = rig.connect({1});
  rig.command(
      {0}, AddSession{.peer_id = {1},
                      .endpoint = {.remote = {ip("203.0.113.1"), 1194}, .local = ip("127.0.0.1")}});
  DataKeys keys = test::make_keys({0}, 1);
  keys.send_from = {};
  rig.command({0}, InstallKeys{.peer_id = {1}, .keys = std::move(keys)});

  host.send({unreachable.v4, 5000}, kHello);

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    std::uint64_t errors = 0;
    for (const std::uint64_t error : counters.send_errors) errors += error;
    return counters.of(Drop::SendFailed) == 1 && errors == 1;
  }));
  expect_both_ways(client, host, kHello);
}

TEST(Worker, WorksAgainWhenTheTunWasDown_F05) {
  WorkerRig rig;
  TunnelClient& client = rig.connect({0});
  {
    const HostSocket host(rig.server_v4);
    expect_both_ways(client, host, kHello);
  }
  const Packet inner = inner_packet({client.v4, 5000}, {rig.server_v4, 5000}, kHello);

  test::run("ip link set " + rig.device_name + " down");
  client.send(inner);
  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Drop::TunWriteFailed) == 1 &&
           counters.tun_write_errors[io_error_index(EIO)] == 1;
  }));
  test::run("ip link set " + rig.device_name + " up");

  const HostSocket host(rig.server_v4);
  expect_both_ways(client, host, kHello);
}

TEST(Worker, CommandsThatWereTakenAreCarriedOutInOrder) {
  WorkerRig rig({.limits = {.command_count = 4}});
  const HostSocket host(rig.server_v4);
  Worker& worker = rig.group->worker({0});

  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    WorkerCommand command = AddRoute{.prefix = Prefix::host(ip("10.8.0.200")), .peer_id = {9}};
    if (i % 2 == 1) command = RemoveRoute{.prefix = Prefix::host(ip("10.8.0.200")), .peer_id = {9}};
    while (!worker.push(std::move(command))) {
      ++refused;
      worker.wake();
      std::this_thread::yield();
    }
  }
  worker.wake();

  EXPECT_GT(refused, 0);
  TunnelClient& client = rig.connect({0});
  expect_both_ways(client, host, kHello);
}

// The ordering rule of dataplane/messages.h: the packet that wakes the worker was sent after the
// command that makes it welcome.
TEST(Worker, CarriesOutCommandsBeforeThePacketsThatWereSentAfterThem) {
  WorkerRig rig;
  rig.wakes = false;
  const HostSocket host(rig.server_v4);

  for (std::uint32_t peer = 0; peer < 100; ++peer) {
    TunnelClient& client = rig.connect({peer});
    client.send(inner_packet({client.v4, 5000}, host.local(), kHello));
    ASSERT_TRUE(host.receive().has_value()) << peer;
  }
}

TEST(Worker, ReportsWhatThePeerSaysOverTheDataChannel) {
  WorkerRig rig;
  TunnelClient& client = rig.connect({0});

  client.send(kExitPayload);

  ASSERT_TRUE(test::is_readable(rig.group->control_bell().fd()));
  const auto report = rig.group->worker({0}).reports().pop();
  ASSERT_TRUE(report.has_value());
  ASSERT_TRUE(std::holds_alternative<PeerExited>(*report));
  EXPECT_EQ(std::get<PeerExited>(*report).peer_id, PeerId{0});
}

TEST(Worker, SendsKeepAlivesWhenTheyAreDue) {
  WorkerRig rig;
  TunnelClient& client = rig.connect({0}, ip("127.0.0.1"), {.ping_interval = 1s});

  const auto datagram = client.link.receive();

  ASSERT_TRUE(datagram.has_value());
  EXPECT_EQ(datagram->size(), kPingPayload.size() + data_overhead(DataHeader::kSizeMax));
}

TEST(Worker, PublishesTheTrafficOfItsPeersAndForgetsItWithThem) {
  WorkerRig rig;
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({3});
  expect_both_ways(client, host, kHello);

  const PeerTrafficTable& traffic = rig.group->traffic();
  EXPECT_TRUE(rig.eventually([&traffic](const CounterSnapshot&) {
    return traffic.of({3})->bytes_received > 100 && traffic.of({3})->bytes_sent > 100 &&
           traffic.of({3})->last_received > Instant{};
  }));

  rig.command({0}, RemoveSession{.peer_id = {3}});
  EXPECT_TRUE(rig.eventually(
      [&traffic](const CounterSnapshot&) { return traffic.of({3})->bytes_received == 0; }));
}

TEST(Worker, EndsAtOnceInTheMiddleOfTraffic_E01) {
  for (int round = 0; round < 5; ++round) {
    WorkerRig rig({.workers = 2});
    const HostSocket host(rig.server_v4);
    TunnelClient& client = rig.connect({0});
    const Endpoint from{.address = client.v4, .port = 5000};
    const Packet inner = inner_packet(from, host.local(), kHello);
    for (int i = 0; i < 100; ++i) {
      client.send(inner);
      host.send(from, kHello);
    }

    const Instant before = monotonic_now();
    rig.group->stop();

    EXPECT_LT(monotonic_now() - before, 2s);
  }
}

TEST(Worker, EndsByCommand) {
  WorkerRig rig;

  rig.command({0}, Stop{});

  rig.group->worker({0}).join();
}

}  // namespace
}  // namespace ringway
