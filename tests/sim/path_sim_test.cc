#include <gtest/gtest.h>

#include <vector>

#include "tests/sim/world.h"

/// What a path carries, found out by both ends of a tunnel over it. What is too large vanishes: no
/// ICMP message gets through anywhere.
namespace ringway::sim {
namespace {

constexpr std::size_t kUdpAndIpv4 = 28;

/// All paths carry packets of `width` bytes.
void narrow(World& world, std::size_t width) {
  world.network().set_meddler([width](Datagram datagram) {
    std::vector<Datagram> kept;
    if (datagram.bytes.size() + kUdpAndIpv4 <= width) kept.push_back(std::move(datagram));
    return kept;
  });
}

bool both_know(World& world, std::size_t width) {
  const PathMtu* const path = world.client(0).core().path();
  return path != nullptr && path->is_measured() && path->size() == width &&
         world.server().path_mtu() == width;
}

TEST(PathSim, BothEndsFindWhatALineCarries) {
  for (const std::size_t width : {1500u, 1492u, 1460u, 1452u, 1400u, 1280u}) {
    World world({});
    narrow(world, width);
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 5s)) << world.trace();

    EXPECT_TRUE(world.run_until([&] { return both_know(world, width); }, 60s))
        << width << ": " << world.server().path_mtu() << world.trace();
  }
}

// A tenth of the packets is lost each way and a tenth comes late. No line is ever taken for wider
// than it is, and few for narrower: a size counts as lost when three of its probes are.
TEST(PathSim, FindsItUnderLossAndReordering) {
  std::size_t found = 0;
  const std::vector<std::uint64_t> all = seeds(20);
  for (const std::uint64_t seed : all) {
    World world({.seed = seed, .network = {.data_loss = 0.1, .reorder = 0.1}});
    narrow(world, 1460);
    ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 60s)) << world.trace();

    world.run_until([&] { return both_know(world, 1460); }, 120s);
    EXPECT_LE(world.server().path_mtu(), 1460) << world.trace();
    EXPECT_LE(world.client(0).core().path()->size(), 1460) << world.trace();
    found += both_know(world, 1460) ? 1 : 0;
  }
  EXPECT_GE(found * 10, all.size() * 8);
}

TEST(PathSim, FollowsALineThatBecomesWider) {
  World world({});
  narrow(world, 1400);
  ASSERT_TRUE(world.run_until([&] { return both_know(world, 1400); }, 60s)) << world.trace();

  narrow(world, 1500);

  EXPECT_TRUE(world.run_until([&] { return both_know(world, 1500); }, 700s)) << world.trace();
}

// A session that cannot be used for a while is no narrower for it.
TEST(PathSim, SurvivesAnOutage) {
  World world({});
  narrow(world, 1500);
  ASSERT_TRUE(world.run_until([&] { return both_know(world, 1500); }, 60s)) << world.trace();

  world.network().set_meddler([](const Datagram&) { return std::vector<Datagram>{}; });
  world.run_for(45s);
  narrow(world, 1500);
  world.run_for(60s);

  EXPECT_TRUE(both_know(world, 1500)) << world.trace();
}

}  // namespace
}  // namespace ringway::sim
