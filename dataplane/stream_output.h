#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace ringway {

/// Memory for what waits on TCP connections, in chunks. It grows to what was needed at one time and
/// is kept; its bound is that of its users, who take StreamOutput::kChunksMax each at most. One
/// thread.
class StreamChunks {
 public:
  /// Between a turn and the next a fast connection sends a few of these; an idle one has none.
  static constexpr std::size_t kSize = 32 << 10;
  using Chunk = std::unique_ptr<std::uint8_t[]>;

  [[nodiscard]] Chunk take();
  void give_back(Chunk chunk) { spare_.push_back(std::move(chunk)); }

 private:
  std::vector<Chunk> spare_;
};

/// The framed datagrams of one TCP connection on their way out, in order.
///
/// A datagram is built in what reserve() gives, behind its length, and what is committed lies in
/// one piece: many datagrams are one send. While a send is in flight its bytes stay where they are,
/// and others are added behind them or in the other chunk (security goal E01). A send that took a
/// part is continued where it stopped. Pure: no system call.
class StreamOutput {
 public:
  static constexpr std::size_t kChunksMax = 2;

  /// `chunks` outlives this.
  explicit StreamOutput(StreamChunks& chunks) : chunks_(chunks) {}
  ~StreamOutput();
  StreamOutput(const StreamOutput&) = delete;
  StreamOutput& operator=(const StreamOutput&) = delete;

  /// Memory for a datagram of exactly `size` bytes; empty when there is no room until more was
  /// sent. Nothing is queued before commit(); another reserve() forgets it.
  [[nodiscard]] MutableBytes reserve(std::size_t size);
  /// Returns the size of what was committed.
  std::size_t commit();
  /// reserve() will succeed for any datagram of `size` bytes or less.
  [[nodiscard]] bool has_room(std::size_t size) const;

  /// What to send now; empty when there is nothing, or a send is in flight.
  [[nodiscard]] Bytes to_send() const;
  /// A send of to_send() was prepared.
  void note_prepared();
  /// It has completed, having taken `size` bytes of it.
  void note_sent(std::size_t size);
  /// Everything was sent.
  [[nodiscard]] bool is_empty() const { return first_.is_empty() && second_.is_empty(); }
  [[nodiscard]] bool is_in_flight() const { return in_flight_ > 0; }

 private:
  struct Part {
    StreamChunks::Chunk chunk;
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool is_empty() const { return begin == end; }
    [[nodiscard]] std::size_t room() const { return StreamChunks::kSize - end; }
  };
  void give_back(Part& part);

  StreamChunks& chunks_;
  /// What is sent from, and what is added to while the first is full.
  Part first_;
  Part second_;
  Part* reserved_in_ = nullptr;
  std::size_t reserved_size_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace ringway
