#pragma once

#include <algorithm>
#include <cstddef>

#include "base/bytes.h"
#include "base/check.h"

namespace ringway {

/// The datagrams of one received message, in order: with UDP_GRO the kernel puts several of one
/// client into one buffer, all of one size but for a smaller last one.
///
/// The sizes are the kernel's word, not the network's; whatever they say, every datagram lies
/// within the payload and every byte of it is in exactly one (security goal E06). Pure; borrows the
/// payload.
class DatagramTrain {
 public:
  /// `segment_size` as in LinkArrival: zero, or one that is no smaller than the payload, means a
  /// single datagram, which may be empty.
  DatagramTrain(MutableBytes payload, std::size_t segment_size)
      : left_(payload),
        segment_size_(segment_size == 0 ? payload.size() : segment_size),
        count_left_(payload.size() <= segment_size_
                        ? 1
                        : (payload.size() + segment_size_ - 1) / segment_size_) {}

  /// How many have not been taken.
  [[nodiscard]] std::size_t count_left() const { return count_left_; }
  /// The next one. Only while count_left() is not zero.
  MutableBytes take() {
    RW_ASSERT(count_left_ > 0);
    const MutableBytes datagram = left_.first(std::min(segment_size_, left_.size()));
    left_ = left_.subspan(datagram.size());
    --count_left_;
    return datagram;
  }

 private:
  MutableBytes left_;
  std::size_t segment_size_;
  std::size_t count_left_;
};

}  // namespace ringway
