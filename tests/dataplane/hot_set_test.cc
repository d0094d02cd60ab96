#include "dataplane/hot_set.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

void note(HotSet& set, std::size_t count, std::size_t size) {
  for (std::size_t i = 0; i < count; ++i) set.note_filled(size);
}

TEST(HotSet, IsEveryBufferUntilSomethingIsKnown) { EXPECT_EQ(HotSet(256).target(), 256u); }

TEST(HotSet, IsEveryBufferForSmallDatagrams) {
  HotSet set(256);
  note(set, 100, 100);
  EXPECT_EQ(set.target(), 256u);
}

TEST(HotSet, ShrinksSlowlyToAFewBuffersForFullTrains) {
  HotSet set(256);
  note(set, 4, 64'000);
  EXPECT_GT(set.target(), 16u);
  for (int i = 0; i < 100; ++i) {
    note(set, 4, 64'000);
    static_cast<void>(set.target());
  }
  EXPECT_EQ(set.target(), HotSet::kBuffersMin);
}

TEST(HotSet, GrowsAtOnceWhenDatagramsBecomeSmall_E03) {
  HotSet set(256);
  for (int i = 0; i < 100; ++i) {
    note(set, 4, 64'000);
    static_cast<void>(set.target());
  }
  note(set, 4, 200);
  EXPECT_EQ(set.target(), 256u);
}

TEST(HotSet, StaysAsItIsWhileNothingComes) {
  HotSet set(256);
  note(set, 10, 1500);
  const std::size_t before = set.target();
  EXPECT_EQ(set.target(), before);
}

TEST(HotSet, NeverExceedsWhatThereIs) { EXPECT_EQ(HotSet(3).target(), 3u); }

}  // namespace
}  // namespace ringway
