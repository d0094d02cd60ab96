#include "perf/src/loadgen/sequence_check.h"

#include <gtest/gtest.h>

namespace ringway::loadgen {
namespace {

TEST(SequenceCheck, CountsWhatComesInOrder) {
  SequenceCheck check;
  for (std::uint64_t i = 0; i < 3 * SequenceCheck::kWindow; ++i) check.note(i);

  EXPECT_EQ(check.received(), 3 * SequenceCheck::kWindow);
  EXPECT_EQ(check.reordered(), 0u);
  EXPECT_EQ(check.duplicated(), 0u);
}

TEST(SequenceCheck, CountsALatecomerOnceAndAsReordered) {
  SequenceCheck check;
  for (const std::uint64_t number : {0, 2, 1}) check.note(number);

  EXPECT_EQ(check.received(), 3u);
  EXPECT_EQ(check.reordered(), 1u);
  EXPECT_EQ(check.duplicated(), 0u);
}

TEST(SequenceCheck, DoesNotCountARepetition) {
  SequenceCheck check;
  for (const std::uint64_t number : {0, 1, 3, 3, 1, 0}) check.note(number);

  EXPECT_EQ(check.received(), 3u);
  EXPECT_EQ(check.duplicated(), 3u);
}

TEST(SequenceCheck, ForgetsWhoWasSkippedALapAgo) {
  SequenceCheck check;
  check.note(0);
  check.note(5);
  check.note(5 + SequenceCheck::kWindow);
  check.note(6);

  EXPECT_EQ(check.received(), 4u);
  EXPECT_EQ(check.reordered(), 1u);
  EXPECT_EQ(check.duplicated(), 0u);
}

TEST(SequenceCheck, TakesALeapOfMoreThanItsWindow) {
  SequenceCheck check;
  check.note(1);
  check.note(10 * SequenceCheck::kWindow);
  check.note(10 * SequenceCheck::kWindow - 1);

  EXPECT_EQ(check.received(), 3u);
  EXPECT_EQ(check.reordered(), 1u);
  EXPECT_EQ(check.duplicated(), 0u);
}

}  // namespace
}  // namespace ringway::loadgen
