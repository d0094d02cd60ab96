#include "control/programs/program_queue.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

ProgramRequest request(std::uint64_t id, std::string lane = {}) {
  ProgramRequest made;
  made.id = id;
  made.lane = std::move(lane);
  return made;
}

TEST(ProgramQueue, RunsProgramsOfOneLaneOneAfterAnother) {
  ProgramQueue queue;
  ASSERT_TRUE(queue.add(request(1, "a")));
  ASSERT_TRUE(queue.add(request(2, "a")));
  ASSERT_TRUE(queue.add(request(3, "b")));
  ASSERT_TRUE(queue.add(request(4)));

  EXPECT_EQ(queue.next()->id, 1u);
  EXPECT_EQ(queue.next()->id, 3u);
  EXPECT_EQ(queue.next()->id, 4u);
  EXPECT_FALSE(queue.next());
  queue.end(request(1, "a"));
  EXPECT_EQ(queue.next()->id, 2u);
}

// B17: a flood of logins starts only so many processes, and only so many wait.
TEST(ProgramQueue, IsBounded) {
  ProgramQueue queue;
  for (std::uint64_t i = 0; i < ProgramQueue::kRunningMax; ++i) {
    ASSERT_TRUE(queue.add(request(i)));
    ASSERT_TRUE(queue.next());
  }
  for (std::uint64_t i = 0; i < ProgramQueue::kWaitingMax; ++i) {
    ASSERT_TRUE(queue.add(request(1000 + i)));
  }
  EXPECT_FALSE(queue.add(request(99'999)));
  // Who was let in before is seen off nevertheless.
  ProgramRequest news = request(100'000);
  news.is_news = true;
  for (auto i = ProgramQueue::kWaitingMax; i < ProgramQueue::kWaitingWithNewsMax; ++i) {
    ASSERT_TRUE(queue.add(news));
  }
  EXPECT_FALSE(queue.add(news));
  EXPECT_FALSE(queue.next());
  queue.end(request(1));
  EXPECT_EQ(queue.next()->id, 1000u);
}

TEST(ProgramQueue, ForgetsWhatWaits) {
  ProgramQueue queue;
  ASSERT_TRUE(queue.add(request(1)));
  ASSERT_TRUE(queue.add(request(2)));

  EXPECT_TRUE(queue.forget(1));
  EXPECT_FALSE(queue.forget(1));
  EXPECT_EQ(queue.next()->id, 2u);
  EXPECT_FALSE(queue.is_idle());
  queue.end(request(1));
  EXPECT_TRUE(queue.is_idle());
}

// B17: a thousand logins of one network wait for each other, and nobody else for all of them.
TEST(ProgramQueue, LetsSourcesTakeTurns) {
  ProgramQueue queue;
  const auto from = [](std::uint64_t id, std::string source) {
    ProgramRequest asked = request(id);
    asked.source = std::move(source);
    return asked;
  };
  for (std::uint64_t i = 0; i < 1000; ++i) ASSERT_TRUE(queue.add(from(i, "192.0.2.0/24")));
  for (std::size_t i = 0; i < ProgramQueue::kRunningMax; ++i) ASSERT_EQ(queue.next()->id, i);
  ASSERT_TRUE(queue.add(from(2000, "198.51.100.0/24")));
  ASSERT_TRUE(queue.add(from(2001, "198.51.100.0/24")));
  ASSERT_TRUE(queue.add(request(3000)));

  for (const std::uint64_t expected : {2000u, 3000u, 2001u, 64u}) {
    queue.end(from(0, "192.0.2.0/24"));
    EXPECT_EQ(queue.next()->id, expected);
  }
}

}  // namespace
}  // namespace ringway
