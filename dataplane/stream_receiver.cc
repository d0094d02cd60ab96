#include "dataplane/stream_receiver.h"

#include <cerrno>

#include "base/check.h"

namespace ringway {

StreamReceiver::StreamReceiver(const Settings& settings)
    : buffers_({.group = settings.group,
                .budget = settings.budget,
                .buffer_size = settings.room + kReceiveSize,
                .room = settings.room}),
      arrivals_(buffers_.count()),
      parts_(buffers_.count(), 0),
      is_lent_(buffers_.count(), false) {}

StreamReceiver::Outcome StreamReceiver::note_received(const Completion& completion) {
  if (completion.result > 0 && completion.buffer) {
    const auto size = static_cast<std::size_t>(completion.result);
    push({.slot = completion.tag.slot,
          .buffer = *completion.buffer,
          .bytes = buffers_.take(*completion.buffer, size)});
    return Outcome::Filled;
  }
  reclaim(completion);
  if (completion.result == -ENOBUFS) is_starved_ = true;
  const bool again =
      completion.result == -ENOBUFS || completion.result == -EINTR || completion.result == -EAGAIN;
  return again ? Outcome::Again : Outcome::Ended;
}

void StreamReceiver::push(const Arrival& arrival) {
  RW_ASSERT(count_ < arrivals_.size());
  arrivals_[(first_ + count_++) % arrivals_.size()] = arrival;
}

void StreamReceiver::pop() {
  const std::uint16_t buffer = first().buffer;
  first_ = (first_ + 1) % arrivals_.size();
  --count_;
  if (parts_[buffer] == 0) return buffers_.give_back(buffer);
  buffers_.lend(buffer);
  is_lent_[buffer] = true;
}

void StreamReceiver::pass() {
  const Arrival passed = first();
  first_ = (first_ + 1) % arrivals_.size();
  --count_;
  push(passed);
}

void StreamReceiver::release(std::uint32_t buffer) {
  RW_ASSERT(parts_.at(buffer) > 0);
  if (--parts_[buffer] > 0 || !is_lent_[buffer]) return;
  is_lent_[buffer] = false;
  const auto id = static_cast<std::uint16_t>(buffer);
  buffers_.take_back(id);
  buffers_.give_back(id);
}

void StreamReceiver::reclaim(const Completion& completion) {
  if (!completion.buffer) return;
  static_cast<void>(buffers_.take(*completion.buffer, 0));
  buffers_.give_back(*completion.buffer);
}

}  // namespace ringway
