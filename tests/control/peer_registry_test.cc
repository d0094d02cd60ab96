#include "control/peer_registry.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{};

TEST(PeerRegistry, TakesTheLowestFreeNumber) {
  PeerRegistry registry(1, 100);

  EXPECT_EQ(registry.acquire({10}, "a", kStart), PeerId{0});
  EXPECT_EQ(registry.acquire({11}, "b", kStart), PeerId{1});
  EXPECT_EQ(registry.find({1}), ClientId{11});
}

TEST(PeerRegistry, GivesAConnectionANumberOfItsWorker) {
  PeerRegistry registry(3, 100);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto peer = registry.acquire({i}, "", kStart, WorkerId{2});
    ASSERT_TRUE(peer.has_value());
    EXPECT_EQ(owner_of(*peer, 3), WorkerId{2});
  }
  // The others go where there are fewest.
  EXPECT_EQ(registry.acquire({9}, "", kStart), PeerId{0});
}

TEST(PeerRegistry, PlacesPeersOnTheLeastLoadedWorker) {
  PeerRegistry registry(3, 100);
  for (std::uint64_t i = 0; i < 6; ++i) static_cast<void>(registry.acquire({i}, "", kStart));
  registry.release({1}, kStart);
  registry.release({4}, kStart);

  // Both numbers of worker 1 rest, so it goes on with its next ones.
  EXPECT_EQ(registry.acquire({7}, "", kStart), PeerId{7});
  EXPECT_EQ(registry.acquire({8}, "", kStart), PeerId{10});
}

TEST(PeerRegistry, LetsANumberRestBeforeItIsUsedAgain) {
  PeerRegistry registry(1, 100);
  static_cast<void>(registry.acquire({1}, "a", kStart));
  registry.release({0}, kStart);

  EXPECT_FALSE(registry.find({0}));
  EXPECT_EQ(registry.acquire({2}, "a", kStart + 1s), PeerId{1});
  EXPECT_EQ(registry.acquire({3}, "b", kStart + PeerRegistry::kRest), PeerId{0});
}

TEST(PeerRegistry, ReusesARestingNumberRatherThanGrowWithoutBound) {
  PeerRegistry registry(1, 2);
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto peer = registry.acquire({i}, "a", kStart);
    ASSERT_TRUE(peer);
    EXPECT_LT(peer->value, 4u);
    registry.release(*peer, kStart);
  }
}

TEST(PeerRegistry, RefusesMoreThanItsMaximum) {
  PeerRegistry registry(2, 2);
  EXPECT_TRUE(registry.acquire({1}, "", kStart));
  EXPECT_TRUE(registry.acquire({2}, "", kStart));

  EXPECT_FALSE(registry.acquire({3}, "", kStart));
}

// TCP connections stay with the worker that the kernel has chosen, and are told nothing of others.
TEST(PeerRegistry, HasANumberForEveryPeerAtAnyWorker) {
  PeerRegistry registry(8, 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto peer = registry.acquire({i}, "", kStart, WorkerId{5});
    ASSERT_TRUE(peer) << i;
    EXPECT_EQ(peer->value % 8, 5u);
    registry.release(*peer, kStart);
    EXPECT_NE(registry.acquire({i}, "", kStart, WorkerId{5}), peer) << "it rests";
  }
  EXPECT_FALSE(registry.acquire({9}, "", kStart, WorkerId{1})) << "three are connected";
}

TEST(PeerRegistry, KeepsItsNumbersSmall) {
  EXPECT_EQ(PeerRegistry::numbers_max(1, 1024), 2048u);
  EXPECT_EQ(PeerRegistry::numbers_max(8, 3), 48u);
  EXPECT_EQ(PeerRegistry::numbers_max(32, 10'000), 40'000u);
  EXPECT_EQ(PeerRegistry::numbers_max(64, 0xff'ffff), PeerId::kUnset);
}

TEST(PeerRegistry, FindsTheClientsOfAName) {
  PeerRegistry registry(1, 100);
  static_cast<void>(registry.acquire({1}, "a", kStart));
  static_cast<void>(registry.acquire({2}, "b", kStart));
  const PeerId second = *registry.acquire({3}, "a", kStart);

  EXPECT_EQ(registry.find_name("a").size(), 2u);
  registry.release(second, kStart);
  EXPECT_EQ(registry.find_name("a"), std::vector<ClientId>{{1}});
  EXPECT_TRUE(registry.find_name("").empty());
}

}  // namespace
}  // namespace ringway
