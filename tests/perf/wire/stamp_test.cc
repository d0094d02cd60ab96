#include "perf/src/wire/stamp.h"

#include <gtest/gtest.h>

#include <array>

namespace ringway::wire {
namespace {

TEST(Stamp, IsReadAsItWasWritten) {
  const Stamp stamp{.client = 999, .sequence = 70'000, .index = 0xffff'ffff, .block = 3};
  std::array<std::uint8_t, Stamp::kSize + 4> memory{};

  stamp.write(memory);

  EXPECT_EQ(Stamp::read(memory), stamp);
}

TEST(Stamp, IsNotReadFromTooFewBytes) {
  const std::array<std::uint8_t, Stamp::kSize - 1> memory{};

  EXPECT_FALSE(Stamp::read(memory));
}

}  // namespace
}  // namespace ringway::wire
