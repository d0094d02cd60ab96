#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "base/opcode.h"
#include "tests/sim/world.h"

/// Clients that change their address, their port and their family, and those who only claim to
/// (security goal A18).
namespace ringway::sim {
namespace {

constexpr Duration kTrafficInterval = 20ms;

/// Of IPv4 for even numbers and of IPv6 for odd ones; no client starts there.
Endpoint place(std::uint64_t number) {
  const auto port = static_cast<std::uint16_t>(50'000 + number % 10'000);
  return {*IpAddress::parse(number % 2 == 0 ? "203.0.113.7" : "2001:db8:99::7"), port, 0};
}

void connect_with_traffic(World& world) {
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 110s)) << world.trace();
  world.set_traffic_interval(kTrafficInterval);
  world.run_for(1s);
}

/// Where the control plane believes that the client of this inner address is.
Endpoint believed(World& world, std::size_t client) {
  for (const ClientSummary& summary : world.server().plane().clients()) {
    if (summary.address_v4 == world.client(client).inner_address()) return summary.endpoint.remote;
  }
  return {};
}

void expect_tables_without_leaks(World& world) {
  const auto sizes = world.server().plane().table_sizes();
  EXPECT_EQ(sizes.channels, sizes.endpoints) << world.trace();
  EXPECT_LE(sizes.channels, world.client_count()) << world.trace();
}

std::uint64_t lost(World& world) {
  world.set_traffic_interval(Duration{0});
  world.run_for(1s);
  return world.ledger().missing(world.now().instant);
}

// What is lost is what was under way to where the client was: the answers of 20 to 30 ms there and
// of the time that its first packet takes.
TEST(FloatSim, LosesNothingButWhatWasInFlight) {
  for (const std::uint64_t seed : seeds(5)) {
    World world({.seed = seed, .clients = 3});
    test::SeededRandom dice(seed);
    connect_with_traffic(world);
    std::uint64_t moves = 0;
    for (; moves < 60; ++moves) {
      const std::size_t mover = random_below(dice, world.client_count());
      world.move(mover, place(moves * 10 + random_below(dice, 10)));
      // The next move may come at once; of the same client, within a second.
      world.run_for(Duration{100ms} * static_cast<int>(random_below(dice, 20)));
    }
    world.run_for(3s);

    for (std::size_t i = 0; i < world.client_count(); ++i) {
      EXPECT_TRUE(world.client(i).is_connected()) << world.trace();
      EXPECT_EQ(believed(world, i), world.client(i).endpoint()) << world.trace();
    }
    expect_tables_without_leaks(world);
    // A second at most in which a session may not move again, and 80 ms of flight.
    constexpr std::uint64_t kLostAMove = (1s + 80ms) / kTrafficInterval;
    const std::uint64_t missing = lost(world);
    EXPECT_LT(missing, moves * kLostAMove) << world.trace();
  }
}

TEST(FloatSim, LosesAtMostFourPacketsAMoveEveryOtherSecond) {  // R18
  World world({});
  connect_with_traffic(world);
  constexpr std::uint64_t kMoves = 50;
  for (std::uint64_t i = 0; i < kMoves; ++i) {
    world.move(0, place(i));
    world.run_for(2s);
    EXPECT_EQ(believed(world, 0), place(i)) << world.trace();
  }
  // One every 20 ms; a round trip is 40 to 60 ms, and the first packet leaves up to 20 ms later.
  EXPECT_LE(lost(world), kMoves * 4) << world.trace();
}

// Somebody sees all that the client sends, and sends it again from everywhere.
TEST(FloatSim, StaysWhereItIsUnderReplaysFromEverywhere) {
  for (const std::uint64_t seed : seeds(5)) {
    World world({.seed = seed, .clients = 2, .client_renegotiates = 15s});
    connect_with_traffic(world);
    const Endpoint home[] = {world.client(0).endpoint(), world.client(1).endpoint()};
    std::deque<Datagram> captured;
    std::uint64_t number = 0;
    world.network().set_meddler([&](Datagram datagram) {
      std::vector<Datagram> sent{datagram};
      if (datagram.to != world.server_endpoint()) return sent;
      captured.push_back(std::move(datagram));
      if (captured.size() < 20) return sent;
      sent.push_back(std::move(captured.front()));
      captured.pop_front();
      sent.back().from = place(number++);
      return sent;
    });

    world.run_for(60s);

    EXPECT_GT(number, 1000u);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(believed(world, i), home[i]) << world.trace();
    EXPECT_EQ(lost(world), 0u) << world.trace();
  }
}

TEST(FloatSim, StaysWhereItIsUnderForgeriesFromEverywhere) {
  World world({});
  connect_with_traffic(world);
  const Endpoint home = world.client(0).endpoint();
  test::SeededRandom dice(1);
  std::uint64_t number = 0;
  world.network().set_meddler([&](Datagram datagram) {
    std::vector<Datagram> sent{datagram};
    if (datagram.to != world.server_endpoint()) return sent;
    datagram.from = place(number++);
    datagram.bytes[4 + random_below(dice, datagram.bytes.size() - 4)] ^= 0x55;
    sent.push_back(std::move(datagram));
    return sent;
  });

  world.run_for(60s);

  EXPECT_GT(number, 1000u);
  EXPECT_EQ(believed(world, 0), home) << world.trace();
  EXPECT_EQ(lost(world), 0u) << world.trace();
}

// The newcomer is heard at an endpoint where somebody else lives, and is: its packets arrive, and
// nobody else suffers.
TEST(FloatSim, TakesNobodysPlaceWhoLivesThere) {
  for (const std::uint64_t seed : seeds(5)) {
    World world({.seed = seed, .clients = 2, .workers = 2, .two_certificates = true});
    connect_with_traffic(world);
    const Endpoint home = world.client(1).endpoint();
    const Endpoint other = world.client(0).endpoint();
    world.move(1, other);
    world.run_for(10s);

    EXPECT_EQ(believed(world, 0), other) << world.trace();
    EXPECT_EQ(believed(world, 1), home) << world.trace();
    expect_tables_without_leaks(world);

    world.move(1, home);
    world.run_for(2s);
    EXPECT_EQ(believed(world, 1), home) << world.trace();
    EXPECT_TRUE(world.all_connected()) << world.trace();
    // Of the four flows, only the answers to the newcomer are lost, while it is away.
    EXPECT_LT(lost(world), 11s / kTrafficInterval) << world.trace();
  }
}

// A carrier's NAT that was restarted has given each the other's port.
TEST(FloatSim, LetsTwoClientsSwapTheirPlacesWithinSeconds) {
  for (const std::uint64_t seed : seeds(10)) {
    World world({.seed = seed, .clients = 2, .two_certificates = true});
    connect_with_traffic(world);
    const Endpoint home[] = {world.client(0).endpoint(), world.client(1).endpoint()};
    world.move(0, home[1]);
    world.move(1, home[0]);

    const bool swapped = world.run_until(
        [&] { return believed(world, 0) == home[1] && believed(world, 1) == home[0]; }, 5s);

    EXPECT_TRUE(swapped) << world.trace();
    expect_tables_without_leaks(world);
    world.run_for(100ms);
    static_cast<void>(lost(world));
    const std::uint64_t before = world.ledger().missing(world.now().instant);
    world.set_traffic_interval(kTrafficInterval);
    world.run_for(10s);
    EXPECT_EQ(lost(world), before) << world.trace();
    EXPECT_TRUE(world.all_connected()) << world.trace();
  }
}

// The port of a client that has died is given to another long before the server knows.
TEST(FloatSim, LetsAClientHaveThePlaceOfOneThatHasFallenSilent) {
  World world({.clients = 2, .two_certificates = true});
  connect_with_traffic(world);
  const Endpoint dead = world.client(0).endpoint();
  world.network().set_meddler([&](Datagram datagram) {
    return datagram.from == place(1) ? std::vector<Datagram>{} : std::vector{std::move(datagram)};
  });
  world.move(0, place(1));
  world.run_for(30s);
  EXPECT_EQ(believed(world, 0), dead) << world.trace();

  world.move(1, dead);
  world.run_for(1s);

  EXPECT_EQ(believed(world, 1), dead) << world.trace();
}

TEST(FloatSim, RenegotiatesWhereverItIs) {
  for (const std::uint64_t seed : seeds(3)) {
    World world({.seed = seed,
                 .clients = 2,
                 .network = {.control_loss = 0.05, .duplication = 0.02, .reorder = 0.05},
                 .hand_window = 120s,
                 .server_renegotiates = 15s,
                 .client_renegotiates = 25s});
    test::SeededRandom dice(seed);
    connect_with_traffic(world);
    for (std::uint64_t moves = 0; moves < 100; ++moves) {
      world.move(random_below(dice, 2), place(moves));
      world.run_for(1100ms + Duration{100ms} * static_cast<int>(random_below(dice, 8)));
    }
    world.run_for(3s);

    for (std::size_t i = 0; i < world.client_count(); ++i) {
      EXPECT_TRUE(world.client(i).is_connected()) << world.trace();
      EXPECT_GE(world.client(i).rekeyed(), 5u) << world.trace();
      EXPECT_EQ(believed(world, i), world.client(i).endpoint()) << world.trace();
    }
    expect_tables_without_leaks(world);
  }
}

// Everything at once, and in the end nothing is left.
TEST(FloatSim, LeavesNothingBehindWhenEverybodyHasLeft) {
  for (const std::uint64_t seed : seeds(3)) {
    World world({.seed = seed,
                 .clients = 6,
                 .network = {.control_loss = 0.05, .data_loss = 0.05, .reorder = 0.10},
                 .client_renegotiates = 20s,
                 .ping_interval = 3s,
                 .ping_restart = 12s,
                 .two_certificates = true});
    test::SeededRandom dice(seed);
    connect_with_traffic(world);
    for (int i = 0; i < 80; ++i) {
      const std::size_t mover = random_below(dice, world.client_count());
      // Few places, so that they meet.
      if (dice.happens(0.1)) {
        world.restart(mover);
      } else {
        world.move(mover, place(random_below(dice, 8)));
      }
      world.run_for(Duration{50ms} * static_cast<int>(random_below(dice, 40)));
      const auto sizes = world.server().plane().table_sizes();
      ASSERT_EQ(sizes.channels, sizes.endpoints) << world.trace();
    }
    world.set_traffic_interval(Duration{0});
    world.network().set_meddler([](const Datagram&) { return std::vector<Datagram>{}; });

    world.run_for(400s);

    EXPECT_TRUE(world.server().plane().clients().empty()) << world.trace();
    EXPECT_EQ(world.server().plane().table_sizes().channels, 0u) << world.trace();
    EXPECT_EQ(world.server().plane().table_sizes().endpoints, 0u) << world.trace();
  }
}

}  // namespace
}  // namespace ringway::sim
