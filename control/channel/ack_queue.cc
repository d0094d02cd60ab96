#include "control/channel/ack_queue.h"

#include <algorithm>
#include <utility>

namespace ringway {
namespace {

bool contains(std::span<const MessageId> ids, MessageId id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

void AckQueue::push(MessageId id) {
  if (contains(std::span(waiting_).first(waiting_count_), id)) return;
  if (waiting_count_ == waiting_.size()) {
    std::ranges::copy(std::span(waiting_).subspan(1), waiting_.begin());
    --waiting_count_;
  }
  waiting_[waiting_count_++] = id;
}

std::size_t AckQueue::take(std::span<MessageId> out) {
  const std::size_t taken = std::min(waiting_count_, out.size());
  std::ranges::copy(std::span(waiting_).first(taken), out.begin());
  std::ranges::copy(std::span(waiting_).subspan(taken, waiting_count_ - taken), waiting_.begin());
  waiting_count_ -= taken;

  std::size_t filled = taken;
  for (const MessageId id : std::span(recent_).first(recent_count_)) {
    if (filled == out.size()) break;
    if (!contains(out.first(taken), id)) out[filled++] = id;
  }
  for (const MessageId id : out.first(taken)) remember(id);
  return filled;
}

/// Moves `id` to the front of recent_; the one that was acknowledged longest ago makes room.
void AckQueue::remember(MessageId id) {
  const auto end = recent_.begin() + static_cast<std::ptrdiff_t>(recent_count_);
  const bool is_new = std::find(recent_.begin(), end, id) == end;
  if (is_new && recent_count_ < recent_.size()) ++recent_count_;

  // Everything before its old place, or all of it, moves back by one.
  MessageId moved = id;
  for (MessageId& place : std::span(recent_).first(recent_count_)) {
    std::swap(place, moved);
    if (moved == id) break;
  }
}

}  // namespace ringway
