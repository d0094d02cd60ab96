#include "dataplane/channel/packet_id.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(PacketIdCounter, CountsFromOne) {
  PacketIdCounter counter;

  EXPECT_EQ(counter.last_used(), PacketId{0});
  EXPECT_EQ(counter.next(), PacketId{1});
  EXPECT_EQ(counter.next(), PacketId{2});
  EXPECT_EQ(counter.last_used(), PacketId{2});
}

// Security goal A20.
TEST(PacketIdCounter, EndsAtItsLastIdAndNeverWraps) {
  PacketIdCounter counter(2);
  ASSERT_TRUE(counter.next());
  EXPECT_FALSE(counter.exhausted());
  ASSERT_TRUE(counter.next());

  EXPECT_TRUE(counter.exhausted());
  EXPECT_FALSE(counter.next());
  EXPECT_FALSE(counter.next());
  EXPECT_EQ(counter.last_used(), PacketId{2});
}

TEST(PacketIdCounter, StopsShortOfTheLargestNumberWhateverItIsTold) {
  static_assert(PacketIdCounter::kLast == 0xffff'fffe);
  // Counting there takes seconds; being equal to a counter with that end shows the same.
  EXPECT_EQ(PacketIdCounter(0xffff'ffff), PacketIdCounter(PacketIdCounter::kLast));
}

}  // namespace
}  // namespace ringway
