#include "dataplane/packet_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define RINGWAY_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGWAY_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef RINGWAY_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace ringway {
namespace {

constexpr int kProtection = PROT_READ | PROT_WRITE;
constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
// Linux 5.14; not in older headers.
constexpr int kPopulateWrite = 23;
constexpr std::size_t kPageSize = 4096;

std::size_t rounded_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

}  // namespace

PacketMemory::PacketMemory(std::size_t size) : size_(size) {
  // A remainder on a huge page of its own would waste up to all of it.
  if (size_ < kHugePageSize || !map_from_pool()) map_aligned();
}

PacketMemory::~PacketMemory() {
  unpoison({memory_, size_});
  ::munmap(mapping_, mapping_size_);
}

/// A control group may allow fewer pages than the pool has, which shows only when they are used.
bool PacketMemory::map_from_pool() {
  const std::size_t wanted = rounded_up(size_, kHugePageSize);
  void* mapping = ::mmap(nullptr, wanted, kProtection, kFlags | MAP_HUGETLB, -1, 0);
  if (mapping == MAP_FAILED) return false;
  if (::madvise(mapping, wanted, kPopulateWrite) != 0) {
    ::munmap(mapping, wanted);
    return false;
  }
  mapping_ = mapping;
  mapping_size_ = wanted;
  memory_ = static_cast<std::uint8_t*>(mapping);
  pages_ = Pages::Pool;
  return true;
}

void PacketMemory::map_aligned() {
  const bool is_large = size_ >= kHugePageSize;
  mapping_size_ = std::max<std::size_t>(size_, 1) + (is_large ? kHugePageSize : 0);
  mapping_ = ::mmap(nullptr, mapping_size_, kProtection, kFlags, -1, 0);
  RW_ASSERT(mapping_ != MAP_FAILED);
  memory_ = static_cast<std::uint8_t*>(mapping_);
  if (!is_large) return;
  const auto address = reinterpret_cast<std::uintptr_t>(memory_);
  memory_ += rounded_up(address, kHugePageSize) - address;
  if (::madvise(memory_, size_, MADV_HUGEPAGE) == 0) pages_ = Pages::Transparent;
  // Where a limit does not let all of it be there, what is used will be.
  static_cast<void>(::madvise(memory_, rounded_up(size_, kPageSize), kPopulateWrite));
}

void poison([[maybe_unused]] MutableBytes bytes) {
#ifdef RINGWAY_ADDRESS_SANITIZER
  __asan_poison_memory_region(bytes.data(), bytes.size());
#endif
}

void unpoison([[maybe_unused]] MutableBytes bytes) {
#ifdef RINGWAY_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(bytes.data(), bytes.size());
#endif
}

}  // namespace ringway
