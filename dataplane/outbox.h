#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "dataplane/counters.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/too_big_answers.h"
#include "tun/segmenter.h"

namespace ringway {

/// The inner packets that a worker makes itself, until the turn of its loop comes to where they can
/// go: answers to what is too big, and fragments for the TUN.
///
/// One thread, the worker's; allocates in its constructor only.
class Outbox {
 public:
  using Occasion = TooBigAnswers::Occasion;
  /// How many packets may wait.
  static constexpr std::size_t kPacketsMax = 256;
  /// In front of each packet: the virtio header.
  static constexpr std::size_t kHeadroom = 16;

  struct Item {
    PacketBuffer buffer;
    /// In the buffer, kHeadroom bytes behind its beginning.
    MutableBytes packet;
    Occasion::To to = Occasion::To::Tun;
  };

  /// The buffers of `pool` have room for kHeadroom and any packet; it and `counters` outlive this.
  Outbox(const TooBigAnswers::Settings& settings, BufferPool& pool, Counters& counters);

  /// Tells the sender of a frame, once, quoting its first packet; counts if it does not. `frame` is
  /// the memory that `segmenter` was started with, and is overwritten.
  void answer(Segmenter segmenter, MutableBytes frame, const Occasion& occasion);
  /// The same about a packet whose checksums are complete, and whose end may be missing.
  void answer(const IpPacket& about, const Occasion& occasion);
  /// Cuts a packet for the TUN to fragments of at most `limit` bytes. False when that may not be.
  [[nodiscard]] bool fragment(const IpPacket& packet, std::size_t limit);

  [[nodiscard]] bool is_empty() const { return first_ == items_.size(); }
  /// The oldest packet. Not while is_empty().
  [[nodiscard]] Item take();

 private:
  [[nodiscard]] std::optional<PacketBuffer> take_buffer();
  void add(PacketBuffer buffer, MutableBytes packet, Occasion::To to);

  TooBigAnswers answers_;
  BufferPool& pool_;
  Counters& counters_;
  /// Emptied when the last was taken.
  std::vector<Item> items_;
  std::size_t first_ = 0;
};

}  // namespace ringway
