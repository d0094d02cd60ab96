#include "control/stall_watch.h"

#include <gtest/gtest.h>

#include <array>

/// R07: a worker that stands still is noticed, and given up in the end.
namespace ringway {
namespace {

using Kind = StallWatch::Kind;

constexpr Instant kBegin{.since_start = 100s};

/// Two workers, of which the second may stand still.
class StallWatchTest : public testing::Test {
 protected:
  /// Looks every half second; what was found in that time.
  std::vector<StallWatch::Finding> watch(Duration duration, bool second_turns) {
    std::vector<StallWatch::Finding> all;
    for (const Instant end = now_ + duration; now_ < end;) {
      now_ = now_ + StallWatch::kInterval;
      ++turns_[0];
      if (second_turns) ++turns_[1];
      for (const StallWatch::Finding& one : watch_.look(turns_, now_)) all.push_back(one);
    }
    return all;
  }

  StallWatch watch_{2};
  Instant now_ = kBegin;
  std::array<std::uint64_t, 2> turns_{};
};

TEST_F(StallWatchTest, HasNothingToSayOfWorkersThatTurn) {
  EXPECT_TRUE(watch(3600s, true).empty());
}

TEST_F(StallWatchTest, BlamesNobodyForTheSecondBetweenTwoTurnsOfAnIdleWorker) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(watch(1s, false).empty());
    EXPECT_TRUE(watch(500ms, true).empty());
  }
}

TEST_F(StallWatchTest, NoticesAWorkerThatStandsStillForTwoSecondsAndThatItGoesOn_R07) {
  watch(5s, true);
  const auto stalls = watch(2s, false);
  ASSERT_EQ(stalls.size(), 1u);
  EXPECT_EQ(stalls[0].worker, WorkerId{1});
  EXPECT_EQ(stalls[0].kind, Kind::Stalls);
  EXPECT_EQ(stalls[0].stalled, 1500ms);

  const auto goes_on = watch(1s, true);
  ASSERT_EQ(goes_on.size(), 1u);
  EXPECT_EQ(goes_on[0].kind, Kind::GoesOn);
  EXPECT_EQ(goes_on[0].stalled, 2s);
}

TEST_F(StallWatchTest, GivesUpAWorkerAfterTenSecondsAndNotBefore_R07) {
  watch(5s, true);
  const auto before = watch(9500ms, false);
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].kind, Kind::Stalls);

  const auto lost = watch(500ms, false);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].kind, Kind::IsLost);
  EXPECT_EQ(lost[0].worker, WorkerId{1});
}

TEST_F(StallWatchTest, SpeaksOfAWorkerOnceAMinute_R07) {
  std::size_t notices = 0;
  for (int i = 0; i < 60; ++i) {
    for (const auto& finding : watch(2s, false)) notices += finding.kind == Kind::Stalls ? 1 : 0;
    watch(1s, true);
  }
  EXPECT_EQ(notices, 3u);
}

// As after a SIGSTOP, or where the machine had no time for us.
TEST_F(StallWatchTest, CountsOnlyTimeThatItHasWatched_R07) {
  watch(5s, true);
  now_ = now_ + 3600s;
  EXPECT_TRUE(watch(500ms, false).empty());
  EXPECT_TRUE(watch(500ms, true).empty());
}

}  // namespace
}  // namespace ringway
