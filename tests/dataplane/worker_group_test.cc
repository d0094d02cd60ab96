#include "dataplane/worker_group.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "tests/dataplane/worker_rig.h"

namespace ringway {
namespace {

using test::HostSocket;
using test::inner_packet;
using test::ip;
using test::kHello;
using test::Packet;
using test::payload_of;
using test::TunnelClient;
using test::WorkerRig;

constexpr std::uint32_t kClients = 16;

TEST(WorkerGroup, DeliversByPeerIdWithoutHandingOver) {
  WorkerRig rig({.workers = 2});
  const HostSocket host(rig.server_v4);

  for (std::uint32_t peer = 0; peer < kClients; ++peer) {
    TunnelClient& client = rig.connect({peer});
    client.send(inner_packet({client.v4, 5000}, host.local(), kHello));
    ASSERT_TRUE(host.receive().has_value());
  }

  EXPECT_EQ(rig.group->counters().of(Counter::HandedOverPackets), 0u);
  EXPECT_TRUE(rig.eventually([&rig](const CounterSnapshot&) {
    return rig.group->worker({0}).counters().of(Counter::TunSentPackets) == kClients / 2 &&
           rig.group->worker({1}).counters().of(Counter::TunSentPackets) == kClients / 2;
  }));
}

TEST(WorkerGroup, HandsOverWhatReachedTheWrongWorkerBothWays) {
  WorkerRig rig({.workers = 2, .steer_link = false});
  rig.wakes = false;  // The owner has its commands by the time it takes a packet over.
  const HostSocket host(rig.server_v4);

  for (std::uint32_t peer = 0; peer < kClients; ++peer) {
    TunnelClient& client = rig.connect({peer});
    const Endpoint from{.address = client.v4, .port = 5000};
    client.send(inner_packet(from, host.local(), kHello));
    const auto received = host.receive();
    ASSERT_TRUE(received.has_value()) << peer;
    EXPECT_EQ(received->datagram, kHello);

    host.send(from, kHello);
    const Packet answer = client.receive();
    ASSERT_FALSE(answer.empty()) << peer;
    EXPECT_TRUE(std::ranges::equal(payload_of(answer), kHello));
  }

  // 16 clients on two hashes: all of them at their owner's happens once in 65,536 runs.
  const CounterSnapshot counters = rig.group->counters();
  EXPECT_GT(counters.of(Counter::HandedOverPackets), 0u);
  EXPECT_EQ(counters.of(Counter::HandedOverPackets), counters.of(Counter::TakenOverPackets));
}

TEST(WorkerGroup, CarriesPacketsBetweenClientsOfDifferentWorkers) {
  WorkerRig rig({.workers = 2, .client_to_client = true});
  TunnelClient& one = rig.connect({0}, ip("127.0.0.1"));
  TunnelClient& other = rig.connect({1}, ip("::1"));

  for (int i = 0; i < 20; ++i) {
    one.send(inner_packet({one.v4, 1000}, {other.v4, 2000}, kHello));
    const Packet there = other.receive();
    ASSERT_FALSE(there.empty());
    EXPECT_TRUE(std::ranges::equal(payload_of(there), kHello));

    other.send(inner_packet({other.v6, 2000}, {one.v6, 1000}, kHello));
    const Packet back = one.receive();
    ASSERT_FALSE(back.empty());
    EXPECT_TRUE(std::ranges::equal(payload_of(back), kHello));
  }
  EXPECT_EQ(rig.group->counters().of(Counter::HandedOverPackets), 40u);
}

TEST(WorkerGroup, DropsAndCountsWhatASlowWorkerDoesNotTakeOver) {
  WorkerRig rig({.workers = 2, .client_to_client = true, .limits = {.lane_size = 4096}});
  TunnelClient& one = rig.connect({0});
  TunnelClient& other = rig.connect({1});
  const Packet inner = inner_packet({one.v4, 1000}, {other.v4, 2000}, test::counting_bytes(1300));

  for (int i = 0; i < 2000; ++i) one.send(inner);

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TakenOverPackets) == counters.of(Counter::HandedOverPackets) &&
           counters.of(Counter::HandedOverPackets) + counters.of(Drop::QueueFull) == 2000;
  }));
}

TEST(WorkerGroup, SaysWhyItCannotStartAndRunsNoThread) {
  auto device = TunDevice::open({.queue_count = 2});
  auto sockets = open_udp_sockets({.port = 0}, 2);
  ASSERT_TRUE(device && sockets);
  WorkerGroupSettings settings;
  settings.listeners.push_back(std::move(*sockets));
  for (const std::uint16_t queue : {std::uint16_t{0}, std::uint16_t{1}}) {
    settings.tun_queues.push_back(device->take_queue(queue));
  }
  auto group = WorkerGroup::create(std::move(settings));
  ASSERT_TRUE(group);
  // The first worker gets the last descriptor, for its ring; the second none.
  rlimit former{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
  const UniqueFd next_free(::dup(0));
  rlimit scarce = former;
  scarce.rlim_cur = static_cast<rlim_t>(next_free.get()) + 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &scarce), 0);

  const auto started = (*group)->start();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);

  ASSERT_FALSE(started);
  EXPECT_NE(started.error().to_string().find("file descriptor"), std::string::npos)
      << started.error().to_string();
}

}  // namespace
}  // namespace ringway
