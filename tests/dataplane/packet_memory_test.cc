#include "dataplane/packet_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace ringway {
namespace {

std::size_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident;
}

TEST(PacketMemory, IsZeroedAndAllOfItCanBeUsed) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{64}, std::size_t{100'000}, PacketMemory::kHugePageSize,
        3 * PacketMemory::kHugePageSize + 4096}) {
    PacketMemory memory(size);

    EXPECT_EQ(memory.size(), size);
    const MutableBytes bytes(memory.data(), size);
    EXPECT_TRUE(std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) << size;
    std::ranges::fill(bytes, std::uint8_t{0xff});
  }
}

TEST(PacketMemory, BeginsAtAHugePageWhenItIsAsLargeAsOne) {
  PacketMemory memory(5 * PacketMemory::kHugePageSize + 64);

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % PacketMemory::kHugePageSize, 0u);
  EXPECT_NE(memory.pages(), PacketMemory::Pages::Small);
}

std::size_t free_pages_of_the_pool() {
  std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  std::size_t count = 0;
  file >> count;
  return count;
}

/// On machines with a pool, and on those without.
TEST(PacketMemory, IsOfThePoolWhereThatHasRoom) {
  constexpr std::size_t kPages = 3;
  const bool has_room = free_pages_of_the_pool() >= kPages;

  PacketMemory memory(kPages * PacketMemory::kHugePageSize - 100);

  EXPECT_EQ(memory.pages() == PacketMemory::Pages::Pool, has_room);
  std::fill_n(memory.data(), memory.size(), std::uint8_t{1});
}

TEST(PacketMemory, IsThereBeforeItIsUsed) {
  constexpr std::size_t kSize = std::size_t{64} << 20;
  const std::size_t before = resident_pages();

  PacketMemory memory(kSize);

  const bool is_of_the_pool = memory.pages() == PacketMemory::Pages::Pool;  // Which is not RSS.
  const std::size_t pages = kSize / static_cast<std::size_t>(::getpagesize());
  EXPECT_GE(resident_pages() - before, is_of_the_pool ? 0 : pages);
}

TEST(PacketMemory, IsFineWithSmallPages) {
  PacketMemory memory(4096);

  EXPECT_EQ(memory.pages(), PacketMemory::Pages::Small);
}

}  // namespace
}  // namespace ringway
