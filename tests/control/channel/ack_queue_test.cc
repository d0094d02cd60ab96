#include "control/channel/ack_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace ringway {
namespace {

using Ids = std::vector<std::uint32_t>;

Ids take(AckQueue& queue, std::size_t places) {
  std::array<MessageId, ControlPacket::kAcksMax> out;
  const std::size_t count = queue.take(std::span(out).first(places));
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(out[i].value);
  return ids;
}

void push(AckQueue& queue, const Ids& ids) {
  for (const std::uint32_t id : ids) queue.push({id});
}

TEST(AckQueue, IsEmptyAtFirst) {
  AckQueue queue;

  EXPECT_FALSE(queue.has_waiting());
  EXPECT_EQ(take(queue, 8), Ids{});
}

TEST(AckQueue, GivesWaitingIdsOldestFirst) {
  AckQueue queue;
  push(queue, {3, 1, 2});

  EXPECT_TRUE(queue.has_waiting());
  EXPECT_EQ(take(queue, 8), (Ids{3, 1, 2}));
  EXPECT_FALSE(queue.has_waiting());
}

TEST(AckQueue, KeepsWaitingWhatDidNotFit) {
  AckQueue queue;
  push(queue, {0, 1, 2, 3, 4, 5});

  EXPECT_EQ(take(queue, 4), (Ids{0, 1, 2, 3}));
  EXPECT_TRUE(queue.has_waiting());
  EXPECT_EQ(take(queue, 4), (Ids{4, 5, 3, 2}));
  EXPECT_FALSE(queue.has_waiting());
}

TEST(AckQueue, RepeatsTheLastAcknowledgedNewestFirst) {
  AckQueue queue;
  push(queue, {0});
  ASSERT_EQ(take(queue, 4), Ids{0});
  push(queue, {1});
  ASSERT_EQ(take(queue, 4), (Ids{1, 0}));

  EXPECT_EQ(take(queue, 4), (Ids{1, 0}));
  push(queue, {2});
  EXPECT_EQ(take(queue, 8), (Ids{2, 1, 0}));
}

TEST(AckQueue, NamesNoIdTwice) {
  AckQueue queue;
  push(queue, {7, 7});
  EXPECT_EQ(take(queue, 8), Ids{7});

  push(queue, {8, 7});
  EXPECT_EQ(take(queue, 8), (Ids{8, 7}));
  EXPECT_EQ(take(queue, 8), (Ids{7, 8}));
}

TEST(AckQueue, RemembersEightAndForgetsTheOldest) {
  AckQueue queue;
  push(queue, {0, 1, 2, 3, 4, 5, 6, 7});
  ASSERT_EQ(take(queue, 8).size(), 8u);
  push(queue, {8});

  EXPECT_EQ(take(queue, 8), (Ids{8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST(AckQueue, MakesRoomByDroppingTheOldestWaiting) {
  AckQueue queue;
  push(queue, {0, 1, 2, 3, 4, 5, 6, 7, 8});

  EXPECT_EQ(take(queue, 8), (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace ringway
