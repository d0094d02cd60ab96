#include "dataplane/admission/control_replay.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

TEST(ControlReplay, AcceptsEachIdOnce) {
  ControlReplay replay;

  EXPECT_TRUE(replay.accept({1, 100}));
  EXPECT_FALSE(replay.accept({1, 100}));
  EXPECT_TRUE(replay.accept({2, 100}));
  EXPECT_FALSE(replay.accept({1, 100}));
}

TEST(ControlReplay, RefusesIdZero) {
  ControlReplay replay;

  EXPECT_FALSE(replay.accept({0, 100}));
  EXPECT_TRUE(replay.accept({1, 100}));
  EXPECT_FALSE(replay.accept({0, 101}));
}

TEST(ControlReplay, TakesTheLastSixtyFourIdsInAnyOrder) {
  ControlReplay replay;
  ASSERT_TRUE(replay.accept({100, 5}));

  EXPECT_TRUE(replay.accept({100 - 63, 5}));
  EXPECT_FALSE(replay.accept({100 - 64, 5}));
  EXPECT_TRUE(replay.accept({99, 5}));
  EXPECT_FALSE(replay.accept({100 - 63, 5}));
}

TEST(ControlReplay, RefusesAnEarlierTime) {
  ControlReplay replay;
  ASSERT_TRUE(replay.accept({1, 100}));

  EXPECT_FALSE(replay.accept({2, 99}));
  EXPECT_TRUE(replay.accept({2, 100}));
}

TEST(ControlReplay, StartsANewWindowWithALaterTime) {
  ControlReplay replay;
  ASSERT_TRUE(replay.accept({50, 100}));

  EXPECT_TRUE(replay.accept({1, 101}));
  EXPECT_FALSE(replay.accept({51, 100}));
  EXPECT_FALSE(replay.accept({1, 101}));
}

TEST(ControlReplay, ForgetsNothingAcrossALeap) {
  ControlReplay replay;
  ASSERT_TRUE(replay.accept({1, 1}));

  EXPECT_TRUE(replay.accept({64, 1}));
  EXPECT_FALSE(replay.accept({1, 1}));
  EXPECT_TRUE(replay.accept({0xffffffff, 1}));
  EXPECT_FALSE(replay.accept({64, 1}));
  EXPECT_TRUE(replay.accept({0xfffffffe, 1}));
}

TEST(ControlReplay, AgreesWithASetOfAllIdsEverSeen) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    ControlReplay replay;
    std::set<std::uint32_t> seen;
    std::uint32_t highest = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto id = static_cast<std::uint32_t>(1 + static_cast<std::uint64_t>(i) / 2 +
                                                 random_below(random, 150));
      const bool in_window = id > highest || highest - id < ControlReplay::kSpan;
      const bool expected = in_window && !seen.contains(id);

      ASSERT_EQ(replay.accept({id, 9}), expected) << "id " << id << ", highest " << highest;

      if (expected) seen.insert(id);
      if (expected) highest = std::max(highest, id);
    }
  }
}

TEST(ReplayCounter, CountsUnderOneTime) {
  ReplayCounter counter(2, 1700000000);

  EXPECT_EQ(counter.next(), (ReplayStamp{2, 1700000000}));
  EXPECT_EQ(counter.next(), (ReplayStamp{3, 1700000000}));
}

TEST(ReplayCounter, RestartsUnderANewerTimeWhenTheIdsAreUsedUp) {
  ReplayCounter counter(0xfffffffe, 7);
  ControlReplay replay;

  EXPECT_TRUE(replay.accept(counter.next()));
  EXPECT_TRUE(replay.accept(counter.next()));
  const ReplayStamp next = counter.next();
  EXPECT_EQ(next, (ReplayStamp{1, 8}));
  EXPECT_TRUE(replay.accept(next));
}

}  // namespace
}  // namespace ringway
