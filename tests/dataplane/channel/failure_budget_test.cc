#include "dataplane/channel/failure_budget.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{1000s};

TEST(FailureBudget, IsUsedUpByAsManyFailuresASecondAsItSays) {
  FailureBudget budget(3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(budget.is_left(kStart));
    budget.note_failure(kStart);
  }
  EXPECT_FALSE(budget.is_left(kStart));
  EXPECT_FALSE(budget.is_left(kStart + 999ms));
}

TEST(FailureBudget, IsWholeAgainInTheNextSecond) {
  FailureBudget budget(2);
  for (int second = 0; second < 5; ++second) {
    const Instant now = kStart + second * 1s;
    budget.note_failure(now);
    EXPECT_TRUE(budget.is_left(now)) << second;
    budget.note_failure(now + 1ms);
    EXPECT_FALSE(budget.is_left(now + 1ms)) << second;
  }
}

TEST(FailureBudget, OfNothingIsNeverLeftWithinASecondOfAFailure) {
  FailureBudget budget(0);
  budget.note_failure(kStart);
  EXPECT_FALSE(budget.is_left(kStart));
}

}  // namespace
}  // namespace ringway
