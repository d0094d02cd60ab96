#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ringway {

/// A train: datagrams for one endpoint, one behind the other in one buffer, that one sendmsg with
/// UDP_SEGMENT sends. The kernel cuts it every segment_size() bytes, so that all datagrams have the
/// size of the first, but a last one may be smaller and closes the train.
///
/// Pure value. The memory is lent by whoever sends, from start() until the send has completed.
class GsoBatch {
 public:
  /// The kernel's UDP_MAX_SEGMENTS: of recent Linux, and of 6.1. The test at start finds out which
  /// it is. Datagrams of 1,024 bytes and more reach kSizeMax first.
  static constexpr std::uint16_t kSegmentsMax = 128;
  static constexpr std::uint16_t kSegmentsMaxOld = 64;
  /// What the 16-bit length fields of IPv6 and UDP leave where the kernel counts the IPv6 header,
  /// too; over IPv4 it would be 20 bytes more.
  static constexpr std::size_t kSizeMax = 65'535 - 40 - 8;

  /// An empty train in `memory`, of at most `segments_max` datagrams.
  void start(MutableBytes memory, std::size_t segments_max);

  /// Memory for the next datagram, which has exactly `size` bytes; empty when a datagram of this
  /// size does not belong into this train any more. Reserves nothing until commit().
  [[nodiscard]] MutableBytes reserve(std::size_t size) const;
  /// The datagram of `size` bytes that was built in what reserve(size) gave is part of the train.
  void commit(std::size_t size);

  [[nodiscard]] MutableBytes bytes() const { return memory_.first(size_); }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// 0 while the train is empty.
  [[nodiscard]] std::size_t segment_size() const { return segment_size_; }
  [[nodiscard]] std::size_t segment_count() const { return segment_count_; }
  /// Datagram `index` of segment_count().
  [[nodiscard]] MutableBytes segment(std::size_t index) const;

 private:
  MutableBytes memory_;
  std::size_t segments_max_ = 1;
  std::size_t size_ = 0;
  std::size_t segment_size_ = 0;
  std::size_t segment_count_ = 0;
  bool is_closed_ = false;
};

}  // namespace ringway
