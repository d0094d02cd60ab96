#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "dataplane/receive_buffers.h"
#include "dataplane/ring.h"
#include "dataplane/slot_queue.h"

namespace ringway {

/// What the TCP connections of one thread bring, in one set of buffers.
///
/// A connection has one receive or one filled buffer at a time: the next receive is armed when the
/// buffer has been cut up, so that each gets its turn, and one that is not served waits in its own
/// socket, where TCP slows it down. The kernel takes a buffer when something has come, so that a
/// thousand idle connections hold none. When there is none left, receives end with ENOBUFS and wait
/// here until there is (security goal E03).
///
/// A buffer is cut in parts, each with as many packets as the TUN writer takes at a time; it goes
/// back when it is used up and the writes of all parts have completed (E01).
///
/// One thread, that of the ring.
class StreamReceiver {
 public:
  struct Settings {
    /// Of the ring's provided buffers.
    std::uint16_t group = 0;
    /// Bytes for all buffers.
    std::size_t budget = 0;
    /// What is left free in front of what was received.
    std::size_t room = 0;
  };
  /// About as much as a train of datagrams, so that writes to the TUN are as large.
  static constexpr std::size_t kReceiveSize = 32 << 10;

  /// A filled buffer of the connection in `slot`.
  struct Arrival {
    std::uint32_t slot = 0;
    std::uint16_t buffer = 0;
    /// The room and what was received, until the user has joined them; then what is left.
    MutableBytes bytes;
    bool is_joined = false;
  };

  explicit StreamReceiver(const Settings& settings);

  /// Registers the buffers with the ring.
  [[nodiscard]] Result<void> open(Ring& ring) { return buffers_.open(ring); }
  void make_room(std::size_t slot_count) { due_.make_room(slot_count); }

  /// The connection in `slot`, which has neither a receive nor an arrival, wants to receive.
  void want(std::uint32_t slot) { due_.push(slot); }
  /// Arms wanted receives; once some ran dry, only as many as there are buffers for. `fd_of` gives
  /// the socket of a slot, or -1 when it wants nothing any more; `note_armed` is told of each.
  template <typename FdOf, typename NoteArmed>
  void arm(Ring& ring, const FdOf& fd_of, const NoteArmed& note_armed);

  enum class Outcome : std::uint8_t { Filled, Again, Ended };
  /// A completion of Operation::StreamReceive. Ended: the other end has closed, or it failed.
  Outcome note_received(const Completion& completion);

  /// The arrival whose turn it is; null when there is none. The same until pop() or pass().
  [[nodiscard]] Arrival* front() { return count_ == 0 ? nullptr : &arrivals_[first_]; }
  /// It is used up.
  void pop();
  /// It is the next one's turn first.
  void pass();
  /// A part of front() is held by a write, until release().
  void hold() { ++parts_[first().buffer]; }
  void release(std::uint32_t buffer);

  /// Instead of note_received(), when the loop ends.
  void reclaim(const Completion& completion);

 private:
  [[nodiscard]] Arrival& first() {
    RW_ASSERT(count_ > 0);
    return arrivals_[first_];
  }
  void push(const Arrival& arrival);

  ReceiveBuffers buffers_;
  SlotQueue due_;
  /// A ring with room for every buffer.
  std::vector<Arrival> arrivals_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  /// By buffer: writes that refer to it, and whether it waits for them alone.
  std::vector<std::uint32_t> parts_;
  std::vector<bool> is_lent_;
  bool is_starved_ = false;
};

template <typename FdOf, typename NoteArmed>
void StreamReceiver::arm(Ring& ring, const FdOf& fd_of, const NoteArmed& note_armed) {
  buffers_.publish(is_starved_ ? due_.size() : 0);
  std::size_t left = is_starved_ ? buffers_.available() : due_.size();
  while (left > 0) {
    const std::optional<std::size_t> slot = due_.pop();
    if (!slot) break;
    const auto index = static_cast<std::uint32_t>(*slot);
    const int fd = fd_of(index);
    if (fd < 0) continue;
    const RequestTag tag{.operation = Operation::StreamReceive, .slot = index};
    if (!ring.receive_bytes(tag, fd, kReceiveSize, buffers_.group())) {
      due_.push(index);
      return;
    }
    note_armed(index);
    --left;
  }
  if (due_.size() == 0) is_starved_ = false;
}

}  // namespace ringway
