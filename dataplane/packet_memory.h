#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ringway {

/// Zeroed memory for packet buffers, on huge pages where there are any: a worker's buffers are tens
/// of megabytes, and with small pages nearly every packet misses the TLB.
///
/// What is as large as a huge page is there when the constructor returns: the kernel may have to
/// move others' pages to make a huge one (kcompactd), and a packet would wait for that, some
/// milliseconds each time. Pages come from the node of the core that makes it: make and use it on
/// the worker's thread. Ends the process when there is no memory. Not copied; one owner.
class PacketMemory {
 public:
  enum class Pages : std::uint8_t {
    Pool,         ///< hugetlb: vm.nr_hugepages
    Transparent,  ///< 2 MiB where the kernel finds them (madvise), else small ones
    Small,        ///< less than a huge page is needed
  };
  static constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

  explicit PacketMemory(std::size_t size);
  ~PacketMemory();
  PacketMemory(const PacketMemory&) = delete;
  PacketMemory& operator=(const PacketMemory&) = delete;

  [[nodiscard]] std::uint8_t* data() { return memory_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Pages pages() const { return pages_; }

 private:
  [[nodiscard]] bool map_from_pool();
  void map_aligned();

  std::size_t size_;
  std::uint8_t* memory_ = nullptr;
  Pages pages_ = Pages::Small;
  void* mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
};

/// Tells AddressSanitizer that nobody may touch these bytes, or that somebody may again. Without it
/// they do nothing.
void poison(MutableBytes bytes);
void unpoison(MutableBytes bytes);

}  // namespace ringway
