#include "dataplane/slot_queue.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(SlotQueue, GivesSlotsInOrderAndEachOnce) {
  SlotQueue queue;
  queue.make_room(3);
  for (const std::size_t slot : {2u, 0u, 2u, 1u, 0u}) queue.push(slot);

  EXPECT_EQ(queue.pop(), 2u);
  EXPECT_EQ(queue.pop(), 0u);
  EXPECT_EQ(queue.pop(), 1u);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(SlotQueue, TakesASlotAgainAfterItWasPopped) {
  SlotQueue queue;
  queue.make_room(2);
  for (int round = 0; round < 10; ++round) {
    queue.push(1);
    queue.push(0);
    EXPECT_EQ(queue.pop(), 1u);
    queue.push(1);
    EXPECT_EQ(queue.pop(), 0u);
    EXPECT_EQ(queue.pop(), 1u);
  }
}

TEST(SlotQueue, KeepsItsOrderWhenItGrows) {
  SlotQueue queue;
  queue.make_room(3);
  queue.push(0);
  queue.push(1);
  ASSERT_EQ(queue.pop(), 0u);
  queue.push(2);
  queue.push(0);
  queue.make_room(8);
  queue.push(7);
  queue.push(1);

  EXPECT_EQ(queue.pop(), 1u);
  EXPECT_EQ(queue.pop(), 2u);
  EXPECT_EQ(queue.pop(), 0u);
  EXPECT_EQ(queue.pop(), 7u);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace ringway
