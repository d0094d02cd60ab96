#include "control/deadline_queue.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

Instant at(int seconds) { return Instant{std::chrono::seconds(seconds)}; }

TEST(DeadlineQueue, GivesTheEarliestFirst) {
  DeadlineQueue queue;
  queue.set({1}, at(30));
  queue.set({2}, at(10));
  queue.set({3}, at(20));

  EXPECT_EQ(queue.next(), at(10));
  EXPECT_EQ(queue.take_due(at(25)), ClientId{2});
  EXPECT_EQ(queue.take_due(at(25)), ClientId{3});
  EXPECT_FALSE(queue.take_due(at(25)));
  EXPECT_EQ(queue.next(), at(30));
}

TEST(DeadlineQueue, ReplacesAClientsDeadline) {
  DeadlineQueue queue;
  queue.set({1}, at(10));
  queue.set({1}, at(40));

  EXPECT_FALSE(queue.take_due(at(30)));
  EXPECT_EQ(queue.take_due(at(40)), ClientId{1});
  EXPECT_FALSE(queue.next());
}

TEST(DeadlineQueue, ForgetsAClientWithoutADeadline) {
  DeadlineQueue queue;
  queue.set({1}, at(10));
  queue.set({1}, std::nullopt);
  queue.set({2}, std::nullopt);

  EXPECT_FALSE(queue.next());
  EXPECT_FALSE(queue.take_due(at(99)));
}

TEST(DeadlineQueue, KeepsClientsWithTheSameDeadlineApart) {
  DeadlineQueue queue;
  queue.set({1}, at(10));
  queue.set({2}, at(10));

  EXPECT_EQ(queue.take_due(at(10)), ClientId{1});
  EXPECT_EQ(queue.take_due(at(10)), ClientId{2});
}

}  // namespace
}  // namespace ringway
