#include "control/activity_watch.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr Instant kStart{Duration{100s}};

TEST(ActivityWatch, IsIdleWhenNothingCameForTheWholeTime) {
  ActivityWatch watch({.time = 10s}, kStart);

  watch.note(0, kStart + 9s);
  EXPECT_FALSE(watch.is_idle(kStart + 9s));
  EXPECT_TRUE(watch.is_idle(kStart + 10s));
}

TEST(ActivityWatch, BeginsAnewWithEveryPacket) {
  ActivityWatch watch({.time = 10s}, kStart);

  watch.note(1, kStart + 9s);
  watch.note(1, kStart + 18s);
  EXPECT_FALSE(watch.is_idle(kStart + 18s));
  EXPECT_TRUE(watch.is_idle(kStart + 19s));
}

TEST(ActivityWatch, WantsTheBytesToComeTogether) {
  ActivityWatch watch({.time = 10s, .bytes = 1000}, kStart);

  watch.note(999, kStart + 5s);
  EXPECT_TRUE(watch.is_idle(kStart + 10s));
  watch.note(1000, kStart + 6s);
  EXPECT_FALSE(watch.is_idle(kStart + 15s));
  watch.note(1999, kStart + 12s);
  EXPECT_TRUE(watch.is_idle(kStart + 16s));
}

TEST(ActivityWatch, NoticesACounterThatHasBegunAnew) {
  ActivityWatch watch({.time = 10s}, kStart);

  watch.note(5000, kStart + 1s);
  watch.note(20, kStart + 9s);
  EXPECT_FALSE(watch.is_idle(kStart + 18s));
}

TEST(ActivityWatch, IsNeverIdleWithoutALimit) {
  const ActivityWatch watch({}, kStart);

  EXPECT_FALSE(watch.is_idle(kStart + 1000000s));
}

}  // namespace
}  // namespace ringway
