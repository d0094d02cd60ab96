#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/opcode.h"
#include "tests/sim/world.h"

namespace ringway::sim {
namespace {

constexpr Duration kTrafficInterval = 50ms;

/// Only the control channel suffers, so that every missing packet is the key switch's fault.
NetworkSettings bad_for_control(double loss) {
  return {.control_loss = loss, .duplication = 0.02, .reorder = 0.10};
}

void connect_with_traffic(World& world) {
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 60s)) << world.trace();
  world.set_traffic_interval(kTrafficInterval);
}

/// Lets the last packets arrive and counts those that never did.
std::uint64_t lost(World& world) {
  world.set_traffic_interval(Duration{0});
  world.run_for(1s);
  return world.ledger().missing(world.now().instant);
}

unsigned least_rekeyed(World& world) {
  unsigned least = ~0u;
  for (std::size_t i = 0; i < world.client_count(); ++i) {
    least = std::min(least, world.client(i).rekeyed());
  }
  return least;
}

/// Loses every control packet of these negotiations.
SimNetwork::Meddler without_key_ids(std::vector<std::uint8_t> key_ids) {
  return [key_ids](Datagram datagram) {
    const std::uint8_t first = datagram.bytes.front();
    const bool is_lost = !is_data(opcode_of(first)) &&
                         std::ranges::find(key_ids, key_id_of(first).value) != key_ids.end();
    return is_lost ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  };
}

TEST(RenegotiationSim, LosesNothingWhenTheClientStarts) {  // R17
  for (const std::uint64_t seed : seeds(5)) {
    World world(
        {.seed = seed, .clients = 2, .network = bad_for_control(0), .client_renegotiates = 20s});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(least_rekeyed(world), 8u) << world.trace();  // Past KeyId 7.
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(RenegotiationSim, LosesNothingWhenTheServerStarts) {  // R17
  for (const std::uint64_t seed : seeds(5)) {
    World world(
        {.seed = seed, .clients = 2, .network = bad_for_control(0), .server_renegotiates = 20s});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(least_rekeyed(world), 8u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(RenegotiationSim, LosesNothingWhenBothStartAtOnce) {  // R17
  for (const WrapMode wrap : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    World world({.wrap = wrap, .network = {.latency_min = 50ms, .latency_max = 50ms}});
    connect_with_traffic(world);
    world.run_for(10s);
    // The server's reset is on the way when the client sends its own.
    world.server().renegotiate_all(world.now());
    world.run_for(25ms);
    world.renegotiate(0);

    world.run_for(10s);

    EXPECT_EQ(world.client(0).rekeyed(), 1u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(RenegotiationSim, LosesNothingUnderLossOfControlPackets) {  // R17
  for (const std::uint64_t seed : seeds(10)) {
    World world({.seed = seed,
                 .network = bad_for_control(0.20),
                 .hand_window = 120s,
                 .server_renegotiates = 60s,
                 .client_renegotiates = 70s});
    connect_with_traffic(world);

    world.run_for(400s);

    EXPECT_GE(least_rekeyed(world), 3u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(RenegotiationSim, KeepsTheOldKeysWhenItFails) {
  World world({.network = bad_for_control(0), .hand_window = 20s});
  connect_with_traffic(world);
  world.run_for(10s);
  world.network().set_meddler(without_key_ids({1}));
  world.renegotiate(0);

  world.run_for(60s);

  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  EXPECT_EQ(world.client(0).rekeyed(), 0u);
  EXPECT_EQ(lost(world), 0u) << world.trace();
}

TEST(RenegotiationSim, SucceedsAfterOneThatFailed) {
  World world({.network = bad_for_control(0), .hand_window = 20s});
  connect_with_traffic(world);
  world.run_for(10s);
  world.network().set_meddler(without_key_ids({1}));
  world.renegotiate(0);
  world.run_for(30s);
  world.network().set_meddler({});

  world.renegotiate(0);
  world.run_for(30s);

  EXPECT_EQ(world.client(0).rekeyed(), 1u) << world.trace();
  EXPECT_EQ(lost(world), 0u) << world.trace();
}

TEST(RenegotiationSim, KeepsTheOldKeysWhenItBreaksOffInTheMiddle) {
  // The client's last flight never arrives: one end has keys that the other has not.
  for (int arrive = 1; arrive <= 8; ++arrive) {
    World world({.network = bad_for_control(0), .hand_window = 20s});
    connect_with_traffic(world);
    world.run_for(10s);
    int from_client = 0;
    world.network().set_meddler([&](Datagram datagram) {
      const std::uint8_t first = datagram.bytes.front();
      const bool counts = !is_data(opcode_of(first)) && key_id_of(first).value == 1 &&
                          datagram.to == world.server_endpoint();
      const bool is_lost = counts && ++from_client > arrive;
      return is_lost ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
    });
    world.renegotiate(0);

    world.run_for(120s);

    EXPECT_TRUE(world.client(0).is_connected()) << arrive << world.trace();
    EXPECT_EQ(lost(world), 0u) << arrive << " packets arrived" << world.trace();
  }
}

TEST(RenegotiationSim, LosesNoMoreThanTheWireDoes) {  // R03
  for (const std::uint64_t seed : seeds(10)) {
    World world({.seed = seed,
                 .network = {.control_loss = 0.10,
                             .data_loss = 0.10,
                             .duplication = 0.02,
                             .reorder = 0.10,
                             .corruption = 0.01},
                 .hand_window = 120s,
                 .server_renegotiates = 60s});
    connect_with_traffic(world);

    world.run_for(300s);

    EXPECT_GE(least_rekeyed(world), 3u) << world.trace();
    const std::uint64_t missing = lost(world);
    EXPECT_LT(static_cast<double>(missing), 0.13 * static_cast<double>(world.ledger().sent()))
        << world.trace();
  }
}

}  // namespace
}  // namespace ringway::sim
