#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace ringway {

/// Two threads that write to neighbouring variables must not share a line of the cache.
inline constexpr std::size_t kCacheLineSize = 64;

/// A bounded queue of values between exactly one producer thread and one consumer thread.
///
/// Nothing is ever lost inside: push() says when there is no room and then leaves the value with
/// its owner, who keeps it and tries again. All memory is allocated by the constructor. The release
/// store of an index pairs with the acquire load on the other side, so what the producer wrote
/// before push() is seen by the consumer after pop().
template <typename T>
class SpscQueue {
 public:
  /// Room for at least `capacity` values; rounded up to a power of two.
  explicit SpscQueue(std::size_t capacity)
      : slots_(std::bit_ceil(capacity)), mask_(slots_.size() - 1) {
    RW_ASSERT(capacity > 0);
  }
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;

  /// Producer only. False when the queue is full: `value` is then untouched.
  [[nodiscard]] bool push(T&& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == slots_.size()) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == slots_.size()) return false;
    }
    slots_[tail & mask_].emplace(std::move(value));
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Producer only: whether the next push() will succeed.
  [[nodiscard]] bool has_room() {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ < slots_.size()) return true;
    head_seen_ = head_.load(std::memory_order_acquire);
    return tail - head_seen_ < slots_.size();
  }

  /// Consumer only. The slot is emptied at once, so that no key outlives its way through the queue.
  [[nodiscard]] std::optional<T> pop() {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return std::nullopt;
    }
    std::optional<T>& slot = slots_[head & mask_];
    std::optional<T> value(std::exchange(slot, std::nullopt));
    head_.store(head + 1, std::memory_order_release);
    return value;
  }

  [[nodiscard]] std::size_t capacity() const { return slots_.size(); }

 private:
  std::vector<std::optional<T>> slots_;
  std::size_t mask_;
  /// Indices only grow; each side keeps the last value it saw of the other's, which saves the
  /// transfer of a cache line for most calls.
  alignas(kCacheLineSize) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;
  alignas(kCacheLineSize) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;
};

}  // namespace ringway
