#include "dataplane/channel/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

TEST(ReplayWindow, RejectsAnIdAlreadyAccepted) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept({1}));
  ASSERT_TRUE(window.accept({5}));

  EXPECT_FALSE(window.accept({1}));
  EXPECT_FALSE(window.accept({5}));
}

TEST(ReplayWindow, NeverAcceptsZero) {
  ReplayWindow window;
  EXPECT_FALSE(window.accept({0}));
  ASSERT_TRUE(window.accept({1}));
  EXPECT_FALSE(window.accept({0}));
}

TEST(ReplayWindow, AcceptsEveryIdOfAReversedBurstOnce) {
  ReplayWindow window;
  for (std::uint32_t id = 1024; id > 0; --id) EXPECT_TRUE(window.accept({id})) << id;
  for (std::uint32_t id = 1024; id > 0; --id) EXPECT_FALSE(window.accept({id})) << id;
}

TEST(ReplayWindow, RejectsIdsThatFellOutOfTheWindow) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept({ReplayWindow::kSpan + 1}));

  EXPECT_FALSE(window.accept({1}));
  EXPECT_TRUE(window.accept({2}));
}

TEST(ReplayWindow, ForgetsNothingWhenItSlidesOneBlockAtATime) {
  ReplayWindow window;
  for (std::uint32_t id = 64; id < 64 * 200; id += 64) {
    ASSERT_TRUE(window.accept({id})) << id;
    EXPECT_FALSE(window.accept({id})) << id;
    if (id > 64) {
      EXPECT_FALSE(window.accept({id - 64})) << id;
    }
  }
}

TEST(ReplayWindow, StartsCleanAfterAJumpOfItsWholeLength) {
  ReplayWindow window;
  for (std::uint32_t id = 1; id <= 4096; ++id) ASSERT_TRUE(window.accept({id}));

  ASSERT_TRUE(window.accept({1'000'000}));

  for (std::uint32_t id = 1'000'000 - ReplayWindow::kSpan + 1; id < 1'000'000; ++id)
    EXPECT_TRUE(window.accept({id})) << id;
}

TEST(ReplayWindow, ReachesTheLargestIdWithoutWrapping) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept({1}));
  ASSERT_TRUE(window.accept({0xffff'ffff}));

  EXPECT_FALSE(window.accept({0xffff'ffff}));
  EXPECT_TRUE(window.accept({0xffff'fffe}));
  EXPECT_FALSE(window.accept({1}));
  EXPECT_EQ(window.highest(), PacketId{0xffff'ffff});
}

// The model of security goal A19: a set of what was accepted, and the span.
TEST(ReplayWindow, AgreesWithASetUnderRandomOrder) {
  constexpr std::uint64_t kSeed = 6479;
  test::SeededRandom random(kSeed);
  ReplayWindow window;
  std::set<std::uint32_t> accepted;
  std::uint32_t highest = 0;
  for (int step = 0; step < 200'000; ++step) {
    const std::uint32_t reach = random.happens(0.001) ? 6000 : 300;
    const auto base = highest > 2500 ? highest - 2500 : 0;
    const auto id = random.happens(0.5)
                        ? highest + static_cast<std::uint32_t>(random.next() % reach)
                        : base + static_cast<std::uint32_t>(random.next() % 2600);
    const bool in_span = id >= highest || highest - id < ReplayWindow::kSpan;
    const bool expected = id != 0 && in_span && !accepted.contains(id);

    ASSERT_EQ(window.accept({id}), expected)
        << "seed " << kSeed << " step " << step << " id " << id;

    if (expected) {
      accepted.insert(id);
      highest = std::max(highest, id);
    }
  }
}

}  // namespace
}  // namespace ringway
