#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "dataplane/packet_memory.h"

namespace ringway {

/// Who may touch a buffer. The kernel may read or write a buffer that it was given until the
/// completion of that request has been collected, also after a cancellation (security goal E01).
enum class BufferOwner : std::uint8_t {
  Free,
  User,
  Kernel,  ///< to be filled by a receive, or to be sent
  Writer,  ///< a receive buffer whose packet is being written to the TUN
};

/// The memory of `count` equal buffers and who owns each of them. Every hand-over is asserted: a
/// buffer that is freed, lent or taken back twice ends the process before it corrupts a packet;
/// with AddressSanitizer so does touching a free one. One thread, which makes them too
/// (PacketMemory).
class BufferSlots {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kStagger = 1600;

  /// `size` is rounded up to kAlignment. Large buffers are kept kStagger bytes off the distance of
  /// whole pages, at which they would all begin in the same few sets of the cache.
  BufferSlots(std::size_t count, std::size_t size);
  BufferSlots(const BufferSlots&) = delete;
  BufferSlots& operator=(const BufferSlots&) = delete;

  void pass(std::uint32_t slot, BufferOwner from, BufferOwner to);
  [[nodiscard]] BufferOwner owner(std::uint32_t slot) const { return owners_.at(slot); }
  [[nodiscard]] MutableBytes bytes(std::uint32_t slot) {
    RW_ASSERT(slot < owners_.size());
    return {memory_.data() + slot * stride_, size_};
  }
  [[nodiscard]] std::size_t count() const { return owners_.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::size_t stride_;
  PacketMemory memory_;
  std::vector<BufferOwner> owners_;
};

class PacketBuffer;

/// A bounded stock of buffers for packets that Ringway itself fills: sealed datagrams, and
/// datagrams taken over from other workers. One thread; allocates in its constructor only.
class BufferPool {
 public:
  BufferPool(std::size_t count, std::size_t size);

  /// Nothing when all buffers are in use.
  [[nodiscard]] std::optional<PacketBuffer> take();
  /// The buffer that lend_to_kernel() gave away, as soon as its request has completed.
  [[nodiscard]] PacketBuffer take_back(std::uint32_t slot);

  [[nodiscard]] std::size_t free_count() const { return free_.size(); }
  [[nodiscard]] std::size_t count() const { return slots_.count(); }

 private:
  friend class PacketBuffer;
  BufferSlots slots_;
  std::vector<std::uint32_t> free_;
};

/// A buffer of a BufferPool, which it goes back to when destroyed. Move-only; its pool outlives it.
class PacketBuffer {
 public:
  PacketBuffer(PacketBuffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), slot_(other.slot_) {}
  PacketBuffer& operator=(PacketBuffer&&) = delete;
  ~PacketBuffer();

  [[nodiscard]] MutableBytes bytes() const { return pool_->slots_.bytes(slot_); }
  /// Travels in the tag of the request that the buffer is lent to, and is what
  /// BufferPool::take_back() turns into a PacketBuffer again.
  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  /// Gives the buffer to a request that was prepared. This handle is empty afterwards.
  void lend_to_kernel();

 private:
  friend class BufferPool;
  PacketBuffer(BufferPool& pool, std::uint32_t slot) : pool_(&pool), slot_(slot) {}
  BufferPool* pool_;
  std::uint32_t slot_;
};

}  // namespace ringway
