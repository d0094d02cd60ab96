#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "dataplane/counters.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"
#include "tun/coalescer.h"
#include "tun/tun_device.h"

namespace ringway {

/// The inner packets of one worker on their way into its TUN queue, in order.
///
/// Packets are put together by flow (tun/coalescer.h) in a batch, and a batch becomes writes by
/// submit(). Nothing is copied: a batch borrows the packets where they lie, and so holds their
/// buffers until all of its writes have completed, after which poll_released() names them to be
/// given back (security goal E01). A packet that stays alone is one plain write, with its virtio
/// header in the ten bytes in front of it; a super-packet is a gather list.
///
/// There are kBatches batches. While all of them are in flight there is no room, and what has been
/// received waits: nothing is dropped for a TUN that is slow.
///
/// A super-packet that the kernel refuses (EINVAL) is written again packet by packet, from the same
/// memory; what had been written behind it in the meantime is then out of order, which is better
/// than lost. When refusals of a kind go on, that kind is not put together for a while.
///
/// One thread, that of the ring; allocates in its constructor only.
class TunWriter {
 public:
  static constexpr std::size_t kBatches = 4;
  /// A batch with so many bytes is written at once: what lies in a core's second cache is copied by
  /// the kernel from there.
  static constexpr std::size_t kBatchBytes = 256 << 10;
  /// How many packets one buffer may bring. The kernel puts 64 datagrams into a train, 128 where it
  /// passes on what one of its own sockets sent.
  static constexpr std::size_t kBufferPacketsMax = 128;
  /// Requests in flight at most.
  static constexpr std::size_t kWritesMax = kBatches * Coalescer::kPacketsMax;
  /// So many refusals without a success between them switch a kind off...
  static constexpr std::uint32_t kRefusalsMax = 16;
  /// ... for so many calls of note_tick().
  static constexpr std::uint32_t kPauseTicks = 60;

  struct Settings {
    /// A queue of the TUN; the writer does not own it.
    int fd = -1;
    /// What it was opened with. Without `tcp` and `udp` each packet is a write of its own.
    TunOffloads offloads;
  };
  /// A buffer whose packets are in a batch.
  struct Hold {
    enum class Kind : std::uint8_t {
      ReceiveBuffer,  ///< of ReceiveBuffers
      PacketBuffer,   ///< of a BufferPool
      StreamPart,     ///< a part of a buffer of a StreamReceiver
    };
    Kind kind = Kind::ReceiveBuffer;
    std::uint32_t slot = 0;
  };

  /// `counters` outlive the writer.
  TunWriter(const Settings& settings, Counters& counters);
  TunWriter(const TunWriter&) = delete;
  TunWriter& operator=(const TunWriter&) = delete;

  /// Whether the packets of one more buffer can be taken in.
  [[nodiscard]] bool has_room() const;
  /// Makes room for the packets of one buffer, at most kBufferPacketsMax, in one batch. Needs
  /// has_room().
  void begin_buffer(Ring& ring);
  /// `frame` is the packet `ip` and kVnetHeaderSize bytes in front of it, which are overwritten.
  /// False, and nothing is changed, when the buffer has brought kBufferPacketsMax packets already.
  [[nodiscard]] bool add(MutableBytes frame, const IpPacket& ip, std::uint8_t outer_ecn);
  /// After the last add() of a buffer that brought any: it is held until poll_released() names it.
  void end_buffer(Hold hold, Ring& ring);

  /// A packet that we have made, with kVnetHeaderSize bytes in front of it in `buffer`, which
  /// poll_released() names by its slot. Needs has_room(); not between begin and end of another.
  void add_own(PacketBuffer buffer, MutableBytes packet, Ring& ring);

  /// Prepares the writes of what was added. At the end of a turn.
  void submit(Ring& ring);
  /// A completion of Operation::TunWrite or TunWriteAgain.
  void note_written(const Completion& completion, Ring& ring);
  /// A buffer that nobody needs any more; nothing when there is none.
  [[nodiscard]] std::optional<Hold> poll_released();
  /// Once a second.
  void note_tick();

  /// What is put together at present.
  [[nodiscard]] Coalescer::Settings merging() const;

 private:
  /// One write, while it is in flight.
  struct Write {
    std::uint32_t first_piece = 0;
    std::uint16_t piece_count = 0;
    std::uint16_t packet_count = 0;
    /// All packets together, each with its own headers.
    std::uint32_t packet_bytes = 0;
    std::uint32_t frame_size = 0;
  };
  enum class State : std::uint8_t { Idle, Open, Written };
  struct Batch {
    Batch();
    State state = State::Idle;
    Coalescer coalescer;
    std::size_t bytes = 0;
    std::vector<Hold> holds;
    std::vector<Write> writes;
    std::vector<iovec> pieces;
    std::size_t in_flight = 0;
  };
  /// How the kernel likes the super-packets of one protocol.
  struct Liking {
    bool wanted = false;
    std::uint32_t refusals = 0;
    std::uint32_t pause_ticks = 0;
    [[nodiscard]] bool is_on() const { return wanted && pause_ticks == 0; }
  };

  [[nodiscard]] bool has_idle_batch() const;
  [[nodiscard]] bool fits_buffer(const Batch& batch) const;
  void open_batch();
  void prepare_write(Batch& batch, std::size_t frame, Ring& ring);
  void write_again(Batch& batch, const Write& write, RequestTag tag, Ring& ring);
  void note_result(const Batch& batch, const Write& write, std::int32_t result);
  void note_refusal(Liking& liking);
  void lose(std::size_t packet_count);
  void release_if_done(Batch& batch);
  [[nodiscard]] Liking& liking_of(const Batch& batch, const Write& write);

  Settings settings_;
  Counters& counters_;
  std::array<Batch, kBatches> batches_;
  /// The batch that packets are added to, if one is open.
  std::optional<std::size_t> open_;
  std::size_t buffer_packets_ = 0;
  std::vector<Hold> released_;
  Liking tcp_;
  Liking udp_;
};

}  // namespace ringway
