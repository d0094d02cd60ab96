#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "dataplane/counters.h"
#include "dataplane/lasting_request.h"
#include "dataplane/receive_buffers.h"
#include "dataplane/ring.h"
#include "tun/tun_device.h"

namespace ringway {

/// What a TUN queue gives, frame by frame, as long as there are buffers to read into. Where reads
/// cannot be multishot (Linux before 6.7), several single ones wait at the queue.
///
/// One thread, that of the ring; allocates in its constructor and in attach().
class TunReader {
 public:
  struct Settings {
    /// Of the ring's provided buffers.
    std::uint16_t group = 0;
    /// Bytes for all buffers.
    std::size_t budget = 0;
    /// The largest packet that is no super-packet.
    std::size_t packet_size_max = 0;
    /// What the queue was, or will be, opened with.
    TunOffloads offloads;
    /// Off: as on kernels that have no multishot read.
    bool multishot = true;
  };
  /// A super-packet: what the length field of IP can say.
  static constexpr std::size_t kSuperPacketMax = 65'535;
  /// How many single reads wait where a read cannot be multishot.
  static constexpr std::size_t kSingleReads = 16;

  /// What one read gave. Its buffer belongs to the caller until buffers().give_back().
  struct Frame {
    std::uint16_t buffer = 0;
    MutableBytes bytes;
  };

  /// `counters` outlive the reader.
  TunReader(const Settings& settings, Counters& counters);
  TunReader(const TunReader&) = delete;
  TunReader& operator=(const TunReader&) = delete;

  /// Registers the buffers with the ring.
  [[nodiscard]] Result<void> open(Ring& ring);
  /// The queue to read from, which the reader does not own. After open(); before, and without it,
  /// nothing is read.
  void attach(int fd);
  /// Gives buffers back to the kernel, at least `wanted` of them if there are so many, and arms the
  /// reads that have ended. Once a turn.
  void arm(Ring& ring, std::size_t wanted = 0);
  /// A completion of Operation::TunRead, and the frame that it brought.
  [[nodiscard]] std::optional<Frame> note_read(const Completion& completion);
  /// Once a second.
  void note_tick();
  /// Instead of note_read(), when the loop ends.
  void reclaim(const Completion& completion);

  [[nodiscard]] ReceiveBuffers& buffers() { return buffers_; }
  [[nodiscard]] std::size_t count() const { return buffers_.count(); }

 private:
  Counters& counters_;
  ReceiveBuffers buffers_;
  bool multishot_;
  int fd_ = -1;
  std::vector<LastingRequest> reads_;
};

}  // namespace ringway
