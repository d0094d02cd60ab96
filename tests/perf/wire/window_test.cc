#include "perf/src/wire/window.h"

#include <gtest/gtest.h>

namespace ringway::wire {
namespace {

constexpr Instant kStart{1s};

TEST(Window, LetsThroughWhatItHasRoomFor) {
  Window window(100, kStart);
  window.send(60, kStart);

  EXPECT_TRUE(window.has_room(40));
  EXPECT_FALSE(window.has_room(41));
}

TEST(Window, AlwaysTakesOneLoadWhenItIsEmpty) {
  Window window(10, kStart);

  EXPECT_TRUE(window.has_room(40));
}

TEST(Window, HasRoomAgainForWhatCameBack) {
  Window window(40, kStart);
  window.send(40, kStart);
  window.take_back(1, kStart);

  EXPECT_TRUE(window.has_room(1));
  EXPECT_FALSE(window.has_room(2));
}

TEST(Window, GivesUpWhatDoesNotComeBack) {
  Window window(40, kStart);
  window.send(40, kStart);
  window.take_back(30, kStart + 1ms);

  window.give_up_if_stalled(kStart + Window::kGiveUp);
  EXPECT_EQ(window.in_flight(), 10u);
  window.give_up_if_stalled(kStart + 1ms + Window::kGiveUp);

  EXPECT_EQ(window.in_flight(), 0u);
  EXPECT_EQ(window.stalls(), 1u);
  EXPECT_EQ(window.last_progress(), kStart + 1ms);
}

TEST(Window, DoesNotMindLatecomersThatItGaveUp) {
  Window window(40, kStart);
  window.send(10, kStart);
  window.give_up_if_stalled(kStart + Window::kGiveUp);
  window.send(5, kStart + 1s);

  window.take_back(10, kStart + 1s);

  EXPECT_EQ(window.in_flight(), 0u);
}

}  // namespace
}  // namespace ringway::wire
