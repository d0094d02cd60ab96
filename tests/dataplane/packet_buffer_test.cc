#include "dataplane/packet_buffer.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(BufferPool, LendsAsManyBuffersAsItHas) {
  BufferPool pool(2, 100);

  auto first = pool.take();
  auto second = pool.take();

  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(first->bytes().size(), 128u);
  EXPECT_NE(first->bytes().data(), second->bytes().data());
  EXPECT_FALSE(pool.take().has_value());
}

TEST(BufferPool, GetsABufferBackWhenItIsDestroyed) {
  BufferPool pool(1, 100);
  {
    const auto buffer = pool.take();
    EXPECT_EQ(pool.free_count(), 0u);
  }
  EXPECT_EQ(pool.free_count(), 1u);
}

TEST(BufferPool, ABufferThatTheKernelHasIsNotFree_E01) {
  BufferPool pool(1, 100);
  std::uint32_t slot = 0;
  {
    auto buffer = pool.take();
    slot = buffer->slot();
    buffer->lend_to_kernel();
  }
  EXPECT_EQ(pool.free_count(), 0u);

  {
    const PacketBuffer back = pool.take_back(slot);
  }

  EXPECT_EQ(pool.free_count(), 1u);
}

TEST(BufferPoolDeathTest, EndsTheProcessWhenABufferIsTakenBackTwice_E01) {
  BufferPool pool(1, 100);
  auto buffer = pool.take();
  const std::uint32_t slot = buffer->slot();
  buffer->lend_to_kernel();
  const PacketBuffer back = pool.take_back(slot);

  EXPECT_DEATH(static_cast<void>(pool.take_back(slot)), "owners_\\[slot\\] == from");
}

TEST(BufferPoolDeathTest, EndsTheProcessWhenTheKernelNamesABufferThatIsNotThere_E01) {
  BufferPool pool(1, 100);

  EXPECT_DEATH(static_cast<void>(pool.take_back(7)), "slot < owners_.size");
}

}  // namespace
}  // namespace ringway
