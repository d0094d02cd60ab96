#pragma once

#include <algorithm>
#include <cstddef>

namespace ringway {

/// How many of a worker's receive buffers the kernel is given at a time.
///
/// The kernel fills provided buffers in turn. With all of them in circulation it would walk through
/// megabytes before it came back to the first, and no packet would still be in the core's second
/// cache when it is opened and written. So only as many circulate as are expected to hold kBytes;
/// the rest is a reserve that is used when datagrams come singly and small.
///
/// Pure value. The expectation follows small arrivals at once, so that a burst of them finds
/// buffers, and large ones slowly.
class HotSet {
 public:
  /// Twice this is in use at a time: what the kernel fills, and what is being written meanwhile.
  static constexpr std::size_t kBytes = std::size_t{256} << 10;
  static constexpr std::size_t kBuffersMin = 4;

  explicit HotSet(std::size_t buffer_count) : buffer_count_(buffer_count) {}

  /// A buffer came back with `size` bytes.
  void note_filled(std::size_t size) {
    ++filled_count_;
    filled_bytes_ += size;
  }
  /// Once per batch: how many buffers the kernel shall have.
  [[nodiscard]] std::size_t target() {
    if (filled_count_ > 0) {
      const std::size_t recent = filled_bytes_ / filled_count_;
      expected_ = recent < expected_ ? recent : expected_ + (recent - expected_) / 8;
      filled_count_ = filled_bytes_ = 0;
    }
    const std::size_t wanted = kBytes / std::max<std::size_t>(expected_, 1);
    return std::min(std::max(wanted, kBuffersMin), buffer_count_);
  }

 private:
  std::size_t buffer_count_;
  /// Bytes in a buffer; at first nothing is known, and all buffers circulate.
  std::size_t expected_ = 0;
  std::size_t filled_count_ = 0;
  std::size_t filled_bytes_ = 0;
};

}  // namespace ringway
