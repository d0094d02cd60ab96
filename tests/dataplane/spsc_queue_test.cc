#include "dataplane/spsc_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

namespace ringway {
namespace {

TEST(SpscQueue, GivesValuesInTheOrderOfPushing) {
  SpscQueue<int> queue(4);

  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue.push(int{i}));

  for (int i = 0; i < 4; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(SpscQueue, RefusesWhenFullAndLeavesTheValueWithItsOwner) {
  SpscQueue<std::unique_ptr<int>> queue(2);
  ASSERT_TRUE(queue.push(std::make_unique<int>(1)));
  ASSERT_TRUE(queue.push(std::make_unique<int>(2)));
  auto refused = std::make_unique<int>(3);

  EXPECT_FALSE(queue.has_room());
  EXPECT_FALSE(queue.push(std::move(refused)));

  ASSERT_NE(refused, nullptr);
  ASSERT_TRUE(queue.pop().has_value());
  EXPECT_TRUE(queue.has_room());
  EXPECT_TRUE(queue.push(std::move(refused)));
}

TEST(SpscQueue, RoundsItsCapacityUpToAPowerOfTwo) {
  EXPECT_EQ(SpscQueue<int>(1).capacity(), 1u);
  EXPECT_EQ(SpscQueue<int>(5).capacity(), 8u);
}

/// Knows how many of its kind hold something.
class Tracked {
 public:
  explicit Tracked(int& held) : held_(&held) { ++held; }
  Tracked(Tracked&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (held_ != nullptr) --*held_;
  }

 private:
  int* held_;
};

TEST(SpscQueue, LetsGoOfAValueWhenItIsPopped) {
  int held = 0;
  SpscQueue<Tracked> queue(4);
  ASSERT_TRUE(queue.push(Tracked(held)));
  ASSERT_EQ(held, 1);

  queue.pop().reset();

  EXPECT_EQ(held, 0);
}

TEST(SpscQueue, LosesNothingBetweenTwoThreads) {
  constexpr int kCount = 100'000;
  SpscQueue<std::unique_ptr<int>> queue(64);

  std::thread producer([&queue] {
    for (int i = 0; i < kCount; ++i) {
      auto value = std::make_unique<int>(i);
      while (!queue.push(std::move(value))) std::this_thread::yield();
    }
  });
  int expected = 0;
  bool in_order = true;
  while (expected < kCount) {
    const auto value = queue.pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    in_order = in_order && **value == expected++;
  }
  producer.join();

  EXPECT_TRUE(in_order);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace ringway
