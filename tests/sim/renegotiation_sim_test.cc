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
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 110s)) << world.trace();
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

// A packet each way every 50 ms: 600 packets are 15 s, a worn key is found within ten more, and the
// next is used after a minute, from when on its packets are counted.
TEST(RenegotiationSim, LosesNothingWhenTheServerHasCountedItsPackets) {  // R17
  for (const std::uint64_t seed : seeds(4)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = bad_for_control(0),
                 .server_renegotiates_packets = 600});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(least_rekeyed(world), 3u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(RenegotiationSim, LosesNothingWhenTheClientHasCountedItsPackets) {  // R17
  for (const std::uint64_t seed : seeds(4)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = bad_for_control(0),
                 .client_renegotiates_packets = 600});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(least_rekeyed(world), 3u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

// These follow one another faster than new keys are used.
TEST(RenegotiationSim, LosesNothingWhenTheClientHasCountedItsBytes) {  // R17
  for (const std::uint64_t seed : seeds(4)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = bad_for_control(0),
                 .client_renegotiates_bytes = 40'000});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(least_rekeyed(world), 20u) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

// Who counts packets and cannot renegotiate keeps the keys, and is not at it again and again.
TEST(RenegotiationSim, KeepsTheOldKeysWhenOneForItsPacketsFails) {  // B12
  World world(
      {.network = bad_for_control(0), .hand_window = 20s, .client_renegotiates_packets = 600});
  connect_with_traffic(world);
  world.network().set_meddler(without_key_ids({1}));
  world.run_for(80s);
  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  EXPECT_EQ(world.client(0).rekeyed(), 0u);
  world.network().set_meddler({});

  world.run_for(60s);

  EXPECT_GE(world.client(0).rekeyed(), 1u) << world.trace();
  EXPECT_EQ(lost(world), 0u) << world.trace();
}

TEST(RenegotiationSim, LosesNothingWhenBothStartAtOnce) {  // R17
  for (const WrapMode wrap : {WrapMode::None, WrapMode::TlsAuth, WrapMode::TlsCrypt}) {
    World world({.wrap = wrap,
                 .network = {.latency_min = 50ms, .latency_max = 50ms},
                 .epochs = wrap != WrapMode::TlsAuth});
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

// Security goal B12: whoever can no longer renegotiate does not keep the old keys for ever.
TEST(RenegotiationSim, EndsASessionThatCannotRenegotiateWithinTheTransitionWindow) {
  World world({.network = bad_for_control(0), .hand_window = 20s, .tran_window = 90s});
  connect_with_traffic(world);
  world.run_for(10s);
  world.network().set_meddler(without_key_ids({1, 2, 3, 4, 5, 6, 7}));
  world.renegotiate(0);
  world.run_for(60s);
  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();

  world.run_for(60s);

  EXPECT_FALSE(world.client(0).is_connected()) << world.trace();
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

/// Runs a renegotiation of which only so many packets of one end arrive: at some point, one end
/// has keys that the other has not.
void break_off(bool towards_server, int arrive) {
  World world({.network = bad_for_control(0), .hand_window = 20s});
  connect_with_traffic(world);
  world.run_for(10s);
  int counted = 0;
  world.network().set_meddler([&](Datagram datagram) {
    const std::uint8_t first = datagram.bytes.front();
    const bool counts = !is_data(opcode_of(first)) && key_id_of(first).value == 1 &&
                        (datagram.to == world.server_endpoint()) == towards_server;
    const bool is_lost = counts && ++counted > arrive;
    return is_lost ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  });
  world.renegotiate(0);

  world.run_for(120s);

  EXPECT_TRUE(world.client(0).is_connected()) << arrive << world.trace();
  EXPECT_EQ(lost(world), 0u) << arrive << " packets arrived" << world.trace();
}

TEST(RenegotiationSim, KeepsTheOldKeysWhenTheClientIsNotHeardAnyMore) {
  for (int arrive = 1; arrive <= 8; ++arrive) break_off(true, arrive);
}

TEST(RenegotiationSim, KeepsTheOldKeysWhenTheServerIsNotHeardAnyMore) {
  for (int arrive = 1; arrive <= 8; ++arrive) break_off(false, arrive);
}

}  // namespace
}  // namespace ringway::sim
