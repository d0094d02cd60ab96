#include "base/cursor.h"

#include <gtest/gtest.h>

#include <array>

namespace ringway {
namespace {

constexpr std::array<std::uint8_t, 15> kBytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST(ByteReader, ReadsBigEndianFieldsInOrder) {
  ByteReader reader(kBytes);

  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607u);
  EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_FALSE(reader.truncated());
}

// Security goal A11.
TEST(ByteReader, StaysTruncatedOnceARunFellShort) {
  ByteReader reader(Bytes(kBytes).first(3));
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_TRUE(reader.truncated());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_TRUE(reader.truncated());
}

TEST(ByteWriter, WritesWhatTheReaderReads) {
  std::array<std::uint8_t, 15> out{};
  ByteWriter writer(out);
  writer.u8(1);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  EXPECT_EQ(out, kBytes);
  EXPECT_FALSE(writer.overflowed());
}

// Security goal A11.
TEST(ByteWriter, NeverWritesPastTheEnd) {
  std::array<std::uint8_t, 4> out{};
  ByteWriter writer(MutableBytes(out).first(3));
  writer.u32(0xffffffff);
  EXPECT_TRUE(writer.overflowed());
  EXPECT_EQ(writer.size(), 0u);
  EXPECT_EQ(out, (std::array<std::uint8_t, 4>{}));
}

}  // namespace
}  // namespace ringway
