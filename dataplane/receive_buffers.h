#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "dataplane/hot_set.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"

namespace ringway {

/// Buffers that the kernel picks and fills for multishot receives (a provided-buffer ring).
///
/// Their number follows from a budget in bytes, and how many the kernel has at a time from what
/// they are filled with (HotSet); the others are a reserve, of which the one used last goes first.
/// Each completion passes one to the user, who gives it back at once or lends it to a write first.
/// When the kernel has none left, receives end with ENOBUFS: that is the normal brake, not an error
/// (security goal E03). One thread, that of the ring, which must be closed later than this.
class ReceiveBuffers {
 public:
  struct Settings {
    /// Tells the groups of one ring apart.
    std::uint16_t group = 0;
    std::size_t budget = 0;
    std::size_t buffer_size = 0;
    /// What the kernel writes in front of the payload, which is made to begin with a cache line:
    /// the kernel copies to and from such memory nearly twice as fast.
    std::size_t header_size = 0;
    /// What the kernel leaves free at the beginning of each buffer, for its user to put something
    /// in front of what was received.
    std::size_t room = 0;
  };

  explicit ReceiveBuffers(const Settings& settings);
  ~ReceiveBuffers();
  ReceiveBuffers(const ReceiveBuffers&) = delete;
  ReceiveBuffers& operator=(const ReceiveBuffers&) = delete;

  /// Registers the buffers with the ring.
  [[nodiscard]] Result<void> open(Ring& ring);

  /// From the kernel to the user: buffer `id` of a completion, and the `size` bytes of it that were
  /// filled, behind the room if there is any. The whole buffer lies around them.
  MutableBytes take(std::uint16_t id, std::size_t size);
  /// From the user to a write request, and back when it has completed.
  void lend(std::uint16_t id) { slots_.pass(id, BufferOwner::User, BufferOwner::Writer); }
  void take_back(std::uint16_t id) { slots_.pass(id, BufferOwner::Writer, BufferOwner::User); }
  /// From the user to the reserve.
  void give_back(std::uint16_t id);
  /// Lets the kernel have buffers of the reserve again: as many as seems right, or `wanted` if that
  /// is more. Once per batch.
  void publish(std::size_t wanted = 0);

  /// How many buffers the kernel can fill now. Those of the reserve do not count.
  [[nodiscard]] std::size_t available() const { return available_; }
  [[nodiscard]] std::size_t count() const { return slots_.count(); }
  [[nodiscard]] std::size_t buffer_size() const { return buffer_size_; }
  [[nodiscard]] std::uint16_t group() const { return group_; }

 private:
  void provide(std::uint16_t id, std::size_t offset);

  [[nodiscard]] MutableBytes bytes(std::uint16_t id) {
    return slots_.bytes(id).subspan(shift_, buffer_size_);
  }

  std::uint16_t group_;
  std::size_t buffer_size_;
  std::size_t room_;
  /// How far into its slot a buffer begins.
  std::size_t shift_;
  BufferSlots slots_;
  HotSet hot_;
  std::vector<std::uint16_t> reserve_;
  Ring* ring_ = nullptr;
  io_uring_buf_ring* shared_ = nullptr;
  std::size_t shared_size_ = 0;
  unsigned mask_ = 0;
  std::size_t available_ = 0;
};

/// What a multishot recvmsg left in a buffer.
struct ReceivedMessage {
  Bytes name;
  Bytes control;
  MutableBytes payload;
  /// The datagram or its control data did not fit: to be dropped (security goal E05).
  bool truncated = false;
};

/// Room in front of the payload: the kernel's header, the sender's address and the control data.
inline constexpr std::size_t kReceiveHeadroom = 144;

/// Reads the layout that the kernel writes for a msghdr with kSocketNameSize and kSocketControlSize
/// bytes of room:
///
///     name size 4 | control size 4 | payload size 4 | flags 4 | name 32 | control 96 | payload
///
/// Nothing when the sizes contradict each other or the buffer. Pure.
[[nodiscard]] std::optional<ReceivedMessage> parse_received_message(MutableBytes filled);

}  // namespace ringway
