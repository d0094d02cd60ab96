#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace ringway {

/// A queue of slot numbers in which each stands once at most, and which therefore never needs more
/// room than there are slots. Pure; allocates in make_room() only.
class SlotQueue {
 public:
  void make_room(std::size_t slot_count) {
    if (slot_count <= queued_.size()) return;
    std::vector<std::size_t> order(slot_count);
    std::size_t count = 0;
    while (const auto slot = pop()) order[count++] = *slot;
    queued_.assign(slot_count, false);
    for (std::size_t i = 0; i < count; ++i) queued_[order[i]] = true;
    order_ = std::move(order);
    first_ = 0;
    count_ = count;
  }

  /// Does nothing when it is queued already. There is room for `slot`.
  void push(std::size_t slot) {
    if (queued_[slot]) return;
    queued_[slot] = true;
    order_[(first_ + count_) % order_.size()] = slot;
    ++count_;
  }

  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

  std::optional<std::size_t> pop() {
    if (count_ == 0) return std::nullopt;
    const std::size_t slot = order_[first_];
    queued_[slot] = false;
    first_ = (first_ + 1) % order_.size();
    --count_;
    return slot;
  }

 private:
  std::vector<std::size_t> order_;
  std::vector<bool> queued_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace ringway
