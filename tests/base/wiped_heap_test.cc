#include "base/wiped_heap.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace ringway {
namespace {

std::span<std::uint8_t> bytes_at(void* memory, std::size_t size) {
  return {static_cast<std::uint8_t*>(memory), size};
}

// What is freed cannot be looked at here; tests/interop/locked_memory_test.sh does (D03).
TEST(WipedHeap, KeepsWhatWasThereWhenItGrows) {
  void* memory = wiped_heap::allocate(40);
  ASSERT_NE(memory, nullptr);
  std::ranges::fill(bytes_at(memory, 40), std::uint8_t{7});

  void* grown = wiped_heap::reallocate(memory, 40'000);

  ASSERT_NE(grown, nullptr);
  EXPECT_GE(::malloc_usable_size(grown), 40'000u);
  EXPECT_EQ(std::ranges::count(bytes_at(grown, 40), 7), 40);
  wiped_heap::release(grown);
}

TEST(WipedHeap, TakesNothingAndNoSizeAsTheCLibraryDoes) {
  void* memory = wiped_heap::reallocate(nullptr, 0);
  EXPECT_NE(memory, nullptr);

  EXPECT_EQ(wiped_heap::reallocate(memory, 0), nullptr);

  wiped_heap::release(nullptr);
}

}  // namespace
}  // namespace ringway
