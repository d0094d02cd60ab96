#include "dataplane/gso_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

class GsoBatchTest : public ::testing::Test {
 protected:
  GsoBatchTest() { batch_.start(memory_, GsoBatch::kSegmentsMax); }

  bool add(std::size_t size) {
    if (batch_.reserve(size).empty()) return false;
    batch_.commit(size);
    return true;
  }

  std::vector<std::uint8_t> memory_ = std::vector<std::uint8_t>(65'536);
  GsoBatch batch_;
};

TEST_F(GsoBatchTest, PutsDatagramsOneBehindTheOther) {
  for (std::uint8_t i = 0; i < 3; ++i) {
    const MutableBytes room = batch_.reserve(100);
    ASSERT_EQ(room.size(), 100u);
    EXPECT_EQ(room.data(), memory_.data() + std::ptrdiff_t{100} * i);
    std::ranges::fill(room, i);
    batch_.commit(100);
  }

  EXPECT_EQ(batch_.size(), 300u);
  EXPECT_EQ(batch_.segment_size(), 100u);
  EXPECT_EQ(batch_.segment_count(), 3u);
  for (std::uint8_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::ranges::all_of(batch_.segment(i), [i](auto byte) { return byte == i; }));
  }
}

TEST_F(GsoBatchTest, ReservingAloneChangesNothing) {
  ASSERT_TRUE(add(100));

  EXPECT_EQ(batch_.reserve(100).data(), batch_.reserve(50).data());

  EXPECT_EQ(batch_.size(), 100u);
  EXPECT_EQ(batch_.segment_count(), 1u);
}

TEST_F(GsoBatchTest, TakesNoDatagramLargerThanTheFirst) {
  ASSERT_TRUE(add(100));

  EXPECT_FALSE(add(101));
  EXPECT_TRUE(add(100));
}

TEST_F(GsoBatchTest, ASmallerDatagramIsTheLast) {
  ASSERT_TRUE(add(100));
  ASSERT_TRUE(add(99));

  EXPECT_FALSE(add(99));
  EXPECT_FALSE(add(100));
  EXPECT_EQ(batch_.segment(1).size(), 99u);
}

TEST_F(GsoBatchTest, TakesAsManyDatagramsAsEveryKernelDoes) {
  for (std::size_t i = 0; i < GsoBatch::kSegmentsMax; ++i) ASSERT_TRUE(add(64)) << i;

  EXPECT_FALSE(add(64));
}

TEST_F(GsoBatchTest, NeverExceedsWhatALengthFieldCanSay) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(add(10'000));
  EXPECT_TRUE(batch_.reserve(5'488).empty());

  EXPECT_TRUE(add(5'487));

  EXPECT_EQ(batch_.size(), GsoBatch::kSizeMax);
}

TEST_F(GsoBatchTest, NeverExceedsTheMemoryItWasLent) {
  batch_.start(MutableBytes(memory_).first(250), GsoBatch::kSegmentsMax);
  ASSERT_TRUE(add(100));
  ASSERT_TRUE(add(100));

  EXPECT_FALSE(add(100));
  EXPECT_FALSE(add(51));
  EXPECT_TRUE(add(50));
}

TEST_F(GsoBatchTest, RefusesAnEmptyDatagram) {
  EXPECT_FALSE(add(0));
  ASSERT_TRUE(add(10));
  EXPECT_FALSE(add(0));
}

TEST_F(GsoBatchTest, WithoutGsoHasOneDatagram) {
  batch_.start(memory_, 1);

  EXPECT_TRUE(add(1000));
  EXPECT_FALSE(add(1000));
}

TEST_F(GsoBatchTest, StartsAgainEmpty) {
  ASSERT_TRUE(add(100));
  ASSERT_TRUE(add(1));

  batch_.start(memory_, 2);

  EXPECT_EQ(batch_.size(), 0u);
  EXPECT_TRUE(add(200));
  EXPECT_TRUE(add(200));
  EXPECT_FALSE(add(200));
}

// What the kernel demands of a send with UDP_SEGMENT, and that it would cut what was put together.
TEST_F(GsoBatchTest, AnyTrainIsOneThatTheKernelTakesAndCutsRight) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    batch_.start(memory_, GsoBatch::kSegmentsMax);
    const std::size_t base = 1 + random.next() % 3000;
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 100; ++i) {
      const std::size_t size = random.happens(0.05) ? 1 + random.next() % 3000 : base;
      if (add(size)) sizes.push_back(size);
    }

    ASSERT_EQ(sizes.size(), batch_.segment_count());
    EXPECT_LE(batch_.segment_count(), GsoBatch::kSegmentsMax);
    EXPECT_LE(batch_.size(), GsoBatch::kSizeMax);
    std::size_t total = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      EXPECT_EQ(batch_.segment(i).size(), sizes[i]);
      if (i + 1 < sizes.size()) {
        EXPECT_EQ(sizes[i], batch_.segment_size());
      }
      total += sizes[i];
    }
    EXPECT_EQ(total, batch_.size());
  }
}

}  // namespace
}  // namespace ringway
