#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "tests/sim/world.h"

/// R20: a long time passes, and the marks at which counters of seconds and milliseconds have
/// overflowed elsewhere.
namespace ringway::sim {
namespace {

constexpr Duration kWeek = 7 * 24h;
/// World's wall clock at its start.
constexpr std::int64_t kWallStart = 1'750'000'000;

/// RINGWAY_VOLUME, as `tools/test --all` sets it, asks for what takes minutes.
bool has_time() { return std::getenv("RINGWAY_VOLUME") != nullptr; }

/// Clients that say little: a few pings a day, a new key a week. No client lets itself be told to
/// wait longer than twelve hours.
WorldSettings quiet(std::uint64_t seed) {
  return {.seed = seed,
          .clients = 2,
          .network = {.control_loss = 0.01, .data_loss = 0.01, .reorder = 0.05},
          .server_renegotiates = kWeek,
          .ping_interval = 4h,
          .ping_restart = 12h};
}

void expect_two_clients(World& world) {
  EXPECT_TRUE(world.all_connected()) << world.trace();
  EXPECT_EQ(world.server().session_count(), 2u) << world.trace();
  const auto sizes = world.server().plane().table_sizes();
  EXPECT_EQ(sizes.channels, 2u) << world.trace();
}

/// A year, or the eight weeks for which there is time. A new key a week and the keepalives are all
/// that happens; both ends still agree, and nothing has grown. No keepalive is lost: two of the
/// three that a client waits for would be, now and then in years, and it would go.
TEST(LongRunSim, AgreesForAsLongAsItRuns_R20) {
  WorldSettings settings = quiet(1);
  settings.network.data_loss = 0;
  World world(settings);
  ASSERT_TRUE(world.run_until([&] { return world.all_connected(); }, 120s)) << world.trace();
  const unsigned weeks = has_time() ? 52 : 8;
  for (unsigned week = 0; week < weeks; ++week) {
    world.run_for(kWeek);
    ASSERT_NO_FATAL_FAILURE(expect_two_clients(world)) << "week " << week;
    ASSERT_FALSE(HasFailure()) << "week " << week;
  }
  for (const std::size_t client : {0, 1}) {
    EXPECT_FALSE(world.client(client).disconnected()) << world.trace();
    EXPECT_GE(world.client(client).rekeyed(), weeks - 1) << world.trace();
  }
}

struct Mark {
  const char* name;
  /// Since the world began.
  Duration at;
  /// What the wall clocks say more than its time has passed.
  std::int64_t wall_ahead;
};

constexpr std::int64_t kSecondsOf31Bits = std::int64_t{1} << 31;
constexpr std::int64_t kSecondsOf32Bits = std::int64_t{1} << 32;
/// For marks of the time since start: the certificates would not last as long.
constexpr std::int64_t back(std::int64_t seconds) { return -seconds; }

constexpr Mark kMarks[] = {
    {"2^31 ms, 24.8 days", std::chrono::milliseconds(std::int64_t{1} << 31), 0},
    {"2^32 ms, 49.7 days", std::chrono::milliseconds(std::int64_t{1} << 32), 0},
    {"in 2038", 4h, kSecondsOf31Bits - kWallStart - 4 * 3600},
    {"in 2106", 4h, kSecondsOf32Bits - kWallStart - 4 * 3600},
    {"2^31 s, 68 years", std::chrono::seconds(kSecondsOf31Bits), back(kSecondsOf31Bits)},
    {"2^32 s, 136 years", std::chrono::seconds(kSecondsOf32Bits), back(kSecondsOf32Bits)},
};

std::vector<Mark> marks() {
  constexpr std::ptrdiff_t kQuickCount = 4;
  return {std::begin(kMarks), has_time() ? std::end(kMarks) : std::begin(kMarks) + kQuickCount};
}

/// One client comes an hour before the mark and one after it; both renegotiate on either side.
class LongRunMarkSim : public testing::TestWithParam<Mark> {};

TEST_P(LongRunMarkSim, IsCrossedWithoutNotice_R20) {
  const Mark& mark = GetParam();
  for (const std::uint64_t seed : seeds(2)) {
    WorldSettings settings = quiet(seed);
    settings.server_renegotiates = 600s;
    settings.ping_interval = 10s;
    settings.ping_restart = 60s;
    World world(settings);
    world.set_server_clock(mark.wall_ahead);
    world.set_client_clock(0, mark.wall_ahead);
    world.set_client_clock(1, mark.wall_ahead);
    const Instant begin = world.now().instant;
    world.leave(0);
    world.leave(1);
    // Nobody is there; the keys of cookies change.
    world.run_for(mark.at - 3h);
    world.restart(0);
    ASSERT_TRUE(world.run_until([&] { return world.client(0).is_connected(); }, 120s))
        << mark.name << world.trace();
    world.set_traffic_interval(1s);
    world.run_for(begin + mark.at - world.now().instant + 1h);
    const unsigned rekeyed = world.client(0).rekeyed();
    world.restart(1);
    ASSERT_TRUE(world.run_until([&] { return world.client(1).is_connected(); }, 120s))
        << mark.name << world.trace();
    world.run_for(2h);

    expect_two_clients(world);
    EXPECT_FALSE(world.client(0).disconnected()) << mark.name << world.trace();
    EXPECT_GE(rekeyed, 18u) << mark.name << world.trace();
    EXPECT_GE(world.client(0).rekeyed(), rekeyed + 9) << mark.name << world.trace();
    EXPECT_GE(world.client(1).rekeyed(), 9u) << mark.name << world.trace();
  }
}

INSTANTIATE_TEST_SUITE_P(Marks, LongRunMarkSim, testing::ValuesIn(marks()),
                         [](const auto& info) { return "Mark" + std::to_string(info.index); });

}  // namespace
}  // namespace ringway::sim
