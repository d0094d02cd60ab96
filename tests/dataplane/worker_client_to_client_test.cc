#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "tests/dataplane/worker_rig.h"
#include "tests/support/offload_sets.h"

// What one client sends to another: it never meets the TUN.
namespace ringway {
namespace {

using test::inner_packet;
using test::kAll;
using test::Packet;
using test::payload_of;
using test::TunnelClient;
using test::WorkerRig;

TEST(WorkerClientToClient, CarriesPacketsInTrains) {
  WorkerRig rig({.client_to_client = true, .starts = false, .offloads = kAll});
  TunnelClient& from = rig.connect({0});
  TunnelClient& to = rig.connect({1});
  for (std::uint8_t i = 0; i < 200; ++i) {
    from.send(inner_packet({from.v4, 4000}, {to.v4, 5000}, test::counting_bytes(1000, i)));
  }

  rig.start();

  for (std::uint8_t i = 0; i < 200; ++i) {
    const Packet packet = to.receive();
    ASSERT_FALSE(packet.empty());
    EXPECT_TRUE(std::ranges::equal(payload_of(packet), test::counting_bytes(1000, i)));
  }
  EXPECT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::LinkSentTrains) > 0; }));
}

// What comes from another client has nowhere to wait but in copies.
TEST(WorkerClientToClient, KeepsPacketsWhileTheLinkIsFull) {
  WorkerRig rig(
      {.client_to_client = true, .starts = false, .offloads = kAll, .send_buffer_size = 32 << 10});
  TunnelClient& from = rig.connect({0});
  TunnelClient& to = rig.connect({1});
  for (std::uint8_t i = 0; i < 100; ++i) {
    from.send(inner_packet({from.v4, 4000}, {to.v4, 5000}, test::counting_bytes(1000, i)));
  }
  test::run("tc qdisc add dev lo root tbf rate 200mbit burst 70000 limit 10000000");

  rig.start();

  for (std::uint8_t i = 0; i < 100; ++i) {
    const Packet packet = to.receive();
    ASSERT_FALSE(packet.empty()) << int{i};
    ASSERT_TRUE(std::ranges::equal(payload_of(packet), test::counting_bytes(1000, i)));
  }
  EXPECT_GT(rig.group->counters().of(Counter::TunWaits), 0u);
  test::run("tc qdisc del dev lo root");
}

}  // namespace
}  // namespace ringway
