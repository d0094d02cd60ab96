#include <gtest/gtest.h>

#include "tests/sim/world.h"

/// Epochs that follow one another, in seconds instead of terabytes. After every step the world has
/// seen that no packet id was used twice under a key (A20) and that nothing came out twice.
namespace ringway::sim {
namespace {

/// A packet each way in 50 ms, so that an epoch lasts for eleven seconds. That is slower than keys
/// are made, as it is in life: a server looks after them every ten seconds.
constexpr Duration kTrafficInterval = 50ms;
constexpr KeyLimits kSomePackets{.last_epoch_counter = 220};

/// The same by the blocks that AES-GCM may seal.
constexpr KeyLimits kSomeBlocks{.epoch_gcm_blocks = 10'000};

void connect_with_traffic(World& world) {
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 110s)) << world.trace();
  ASSERT_TRUE(world.uses_epochs());
  world.set_traffic_interval(kTrafficInterval);
}

/// Lets the last packets arrive and counts those that never did.
std::uint64_t lost_since(World& world, Instant begin) {
  world.set_traffic_interval(Duration{0});
  world.run_for(1s);
  return world.ledger().missing_between(begin, world.now().instant);
}

TEST(EpochSim, LosesNothingWhenEpochsFollowOneAnother) {  // A20
  for (const KeyLimits& limits : {kSomePackets, kSomeBlocks}) {
    for (const std::uint64_t seed : seeds(4)) {
      World world({.seed = seed,
                   .clients = 2,
                   .network = {.duplication = 0.05, .reorder = 0.20},
                   .epochs = true,
                   .key_limits = limits});
      connect_with_traffic(world);

      world.run_for(180s);

      EXPECT_GE(world.highest_epoch(), 10) << world.trace();
      EXPECT_EQ(lost_since(world, {}), 0u) << world.trace();
    }
  }
}

TEST(EpochSim, GoesOnUnderEveryCipher) {
  for (const DataCipher cipher : kDataCiphers) {
    World world({.cipher = cipher, .epochs = true, .key_limits = kSomePackets});
    connect_with_traffic(world);

    world.run_for(100s);

    EXPECT_GE(world.highest_epoch(), 7) << name_of(cipher) << world.trace();
    EXPECT_EQ(lost_since(world, {}), 0u) << name_of(cipher) << world.trace();
  }
}

TEST(EpochSim, StaysTogetherUnderLossAndReorder) {  // A20, A21
  for (const std::uint64_t seed : seeds(8)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = {.control_loss = 0.10,
                             .data_loss = 0.30,
                             .duplication = 0.05,
                             .reorder = 0.30,
                             .corruption = 0.02},
                 .epochs = true,
                 .key_limits = kSomePackets});
    connect_with_traffic(world);
    world.run_for(180s);
    EXPECT_GE(world.highest_epoch(), 12) << world.trace();

    // With the wire mended, all that is sent arrives: neither end has lost the other.
    world.network().settings() = {};
    world.run_for(1s);
    const Instant begin = world.now().instant;
    world.run_for(30s);

    EXPECT_TRUE(world.all_connected()) << world.trace();
    EXPECT_EQ(lost_since(world, begin), 0u) << world.trace();
  }
}

TEST(EpochSim, BeginsAnewWithEachNegotiation) {  // R17
  for (const std::uint64_t seed : seeds(4)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = {.duplication = 0.02, .reorder = 0.10},
                 .server_renegotiates = 20s,
                 .client_renegotiates = 30s,
                 .epochs = true,
                 .key_limits = kSomePackets});
    connect_with_traffic(world);

    world.run_for(200s);

    EXPECT_GE(world.client(0).rekeyed(), 8u) << world.trace();
    EXPECT_GE(world.highest_epoch(), 2) << world.trace();
    EXPECT_LE(world.highest_epoch(), 6) << world.trace();
    EXPECT_EQ(lost_since(world, {}), 0u) << world.trace();
  }
}

// Traffic one way only: the pings of the other follow.
TEST(EpochSim, TakesThePeerAlongThatHasLittleToSay) {
  World world({.epochs = true, .key_limits = kSomePackets});
  connect_with_traffic(world);
  world.set_traffic_interval(Duration{0});

  const auto source = world.client(0).inner_address();
  ASSERT_TRUE(source);
  for (int i = 0; i < 1000; ++i) {
    world.send_from_client(0, {.source = *source, .destination = world.server_address()});
    world.run_for(50ms);
  }

  EXPECT_GE(world.highest_epoch(), 4) << world.trace();
  EXPECT_EQ(lost_since(world, {}), 0u) << world.trace();
}

}  // namespace
}  // namespace ringway::sim
