#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/sim/world.h"

namespace ringway::sim {
namespace {

using Cause = ClientDisconnected::Cause;

bool left_for(World& world, Cause cause) {
  const auto& disconnected = world.client(0).disconnected();
  return disconnected && disconnected->cause == cause;
}

TEST(DepartureSim, TakesAGoodbyeOnTheControlChannel) {
  World world({});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();

  world.leave(0);
  world.run_for(2s);

  EXPECT_TRUE(left_for(world, Cause::Left)) << world.trace();
  world.run_for(10s);
  EXPECT_TRUE(world.server().plane().clients().empty()) << world.trace();
}

TEST(DepartureSim, TakesAGoodbyeOnTheDataChannel) {
  World world({.cc_exit = false});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();

  world.leave(0);
  world.run_for(500ms);

  EXPECT_TRUE(world.server().plane().clients().empty()) << world.trace();
  world.run_for(2s);
  EXPECT_TRUE(left_for(world, Cause::Left)) << world.trace();
}

TEST(DepartureSim, TellsItsClientsThatTheServerStops) {
  World world({.clients = 3, .explicit_exit_notify = 1});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();

  world.server().begin_shutdown(world.now());
  world.run_for(2s);

  for (std::size_t i = 0; i < world.client_count(); ++i) {
    ASSERT_TRUE(world.client(i).disconnected().has_value()) << world.trace();
    EXPECT_EQ(world.client(i).disconnected()->cause, Cause::ServerRestart);
  }
}

TEST(DepartureSim, StaysForAsLongAsPingsCome) {
  World world({.ping_interval = 10s, .ping_restart = 60s});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();

  world.run_for(3600s);

  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  EXPECT_EQ(world.server().plane().clients().size(), 1u);
}

TEST(DepartureSim, GivesUpOnAServerThatHasFallenSilent) {
  World world({.ping_interval = 10s, .ping_restart = 60s});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.network().settings().data_loss = 1;
  world.network().settings().control_loss = 1;

  world.run_for(55s);
  EXPECT_TRUE(world.client(0).is_connected()) << world.trace();
  world.run_for(20s);

  EXPECT_TRUE(left_for(world, Cause::Silence)) << world.trace();
}

TEST(DepartureSim, RemovesAClientThatHasFallenSilent) {
  World world({.ping_interval = 10s, .ping_restart = 60s});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  world.run_for(15s);
  world.network().set_meddler([&](Datagram datagram) {
    const bool is_lost = datagram.to == world.server_endpoint();
    return is_lost ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  });

  world.run_for(110s);
  EXPECT_EQ(world.server().plane().clients().size(), 1u) << world.trace();
  world.run_for(30s);

  EXPECT_TRUE(world.server().plane().clients().empty()) << world.trace();
}

TEST(DepartureSim, CarriesPacketsBetweenClientsOnlyWhereThatIsAllowed) {  // C04
  for (const bool allowed : {false, true}) {
    World world({.clients = 2, .client_to_client = allowed});
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
    const auto source = world.client(0).inner_address();
    const auto destination = world.client(1).inner_address();
    ASSERT_TRUE(source && destination);

    world.send_from_client(0, {.source = *source, .destination = *destination});
    world.run_for(1s);

    EXPECT_EQ(world.ledger().delivered(), allowed ? 1u : 0u) << world.trace();
  }
}

TEST(DepartureSim, LetsNobodyUseASourceAddressOfSomebodyElse) {  // C01
  World world({.clients = 2});
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 2s)) << world.trace();
  const auto other = world.client(1).inner_address();
  ASSERT_TRUE(other);

  world.send_from_client(0, {.source = *other, .destination = world.server_address()});
  world.run_for(1s);

  EXPECT_EQ(world.ledger().delivered(), 0u) << world.trace();
  EXPECT_EQ(world.server().drops(Drop::SpoofedSource), 1u);
}

/// C01: by `iroute`, too, each source has one client, whatever comes and goes.
TEST(DepartureSim, LeadsEachNetworkToTheClientThatItIsBehind) {
  for (const std::uint64_t seed : seeds(5)) {
    World world({.seed = seed,
                 .clients = 6,
                 .network = {.control_loss = 0.1, .data_loss = 0.1, .duplication = 0.05},
                 .ping_interval = 2s,
                 .ping_restart = 10s,
                 .client_to_client = true,
                 .networks_behind = true});
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 60s)) << world.trace();
    world.set_traffic_interval(200ms);
    world.run_for(5s);
    for (std::size_t index = 0; index < world.client_count(); ++index) {
      const std::size_t other = (index + 1) % world.client_count();
      // From behind one client to behind another, and in the name of another.
      world.send_from_client(index, {.source = World::network_behind(index).address.plus(1),
                                     .destination = World::network_behind(other).address.plus(1)});
      world.send_from_client(index, {.source = World::network_behind(other).address.plus(1),
                                     .destination = world.server_address()});
      if (index % 2 == 0) world.restart(index);
      world.run_for(3s);
    }
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 60s)) << world.trace();
    world.run_for(5s);

    EXPECT_GT(world.ledger().delivered(), world.ledger().sent() / 2);
    EXPECT_GT(world.server().drops(Drop::SpoofedSource), 0u);
  }
}

}  // namespace
}  // namespace ringway::sim
