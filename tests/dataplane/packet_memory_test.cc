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

TEST(PacketMemory, TakesNoMemoryBeforeItIsUsed) {
  constexpr std::size_t kSize = std::size_t{64} << 20;
  const std::size_t before = resident_pages();

  PacketMemory memory(kSize);

  EXPECT_LT(resident_pages() - before, kSize / static_cast<std::size_t>(::getpagesize()) / 8);
}

TEST(PacketMemory, IsFineWithSmallPages) {
  PacketMemory memory(4096);

  EXPECT_EQ(memory.pages(), PacketMemory::Pages::Small);
}

}  // namespace
}  // namespace ringway
