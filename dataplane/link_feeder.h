#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "dataplane/counters.h"
#include "dataplane/datapath.h"
#include "dataplane/fair_queue.h"
#include "dataplane/link_sender.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/receive_buffers.h"

namespace ringway {

/// What is to be sealed and sent: frames of the TUN in their read buffers, and packets of other
/// clients and other workers in copies.
///
/// Everything waits here, in a FairQueue, until a socket takes more; then it is cut, sealed
/// straight into the sender's memory and given back, peer by peer, so that a peer's packets make
/// trains. Nothing is dropped while the sockets take more. While one does not, the TUN is still
/// read, so that the choice of what is dropped is made here, from the greediest peer, and not by a
/// full queue that is everybody's. For the same reason more is read than can be sent, and less is
/// sent in one turn, as long as several peers have packets: what lies in the TUN's queue is in
/// nobody's order but that of arrival.
///
/// One thread, the worker's; allocates in its constructor only.
class LinkFeeder {
 public:
  struct Settings {
    std::size_t outlet_count = 1;
    /// Bytes for copies of packets of other clients and workers.
    std::size_t relay_budget = 0;
    std::size_t packet_size_max = 0;
  };
  /// Bytes of frames that one drain() sends to each outlet: about half a millisecond's work, after
  /// which the other direction has its turn.
  static constexpr std::size_t kTurnSizeMax = 1 << 20;
  /// The same while several peers have packets: a new one waits for no more than this.
  static constexpr std::size_t kSharedTurnSizeMax = 256 << 10;
  /// How many read buffers the kernel has at least, then.
  static constexpr std::size_t kReadAhead = 16;
  /// While a socket is full: what is older is dropped ...
  static constexpr Duration kSojournMax = 20ms;
  /// ... and so is what is more. The kernel always has a quarter of the read buffers to fill.
  static constexpr std::size_t kWaitingSizeMax = 4 << 20;

  /// All of these outlive this.
  struct Surroundings {
    Datapath& datapath;
    LinkSender& sender;
    ReceiveBuffers& read_buffers;
    Counters& counters;
  };
  LinkFeeder(const Settings& settings, const Surroundings& around);

  /// A frame of this worker, in a read buffer that the user owns and that goes back by itself.
  /// `packet` is what `frame` was routed from.
  void add(std::uint16_t buffer, MutableBytes packet, const RoutedFrame& frame, Instant now);
  /// A packet that lies elsewhere: sent at once where nothing waits, or else copied.
  void forward(MutableBytes packet, const RoutedFrame& frame, Instant now);
  /// Sends what the sockets take, and drops what has to be dropped.
  void drain(Instant now);

  /// How many read buffers the kernel shall be able to fill, at least.
  [[nodiscard]] std::size_t wanted_reads(Instant now) const {
    return queue_.is_contended(now) ? kReadAhead : 0;
  }
  /// drain() has stopped at its limit, and wants to be called again at once.
  [[nodiscard]] bool is_due() const { return is_due_; }

 private:
  struct Waiting {
    MutableBytes packet;
    std::optional<RoutedFrame> frame;
  };

  void enqueue(std::uint32_t slot, MutableBytes packet, const RoutedFrame& frame, Instant now);
  void drain(std::uint8_t outlet, Instant now);
  [[nodiscard]] bool send(RoutedFrame& frame, MutableBytes packet, Instant now);
  void release(std::uint32_t slot);

  Surroundings around_;
  BufferPool relayed_pool_;
  /// Slots of the queue: the read buffers, then these.
  std::vector<std::optional<PacketBuffer>> relayed_;
  std::vector<Waiting> waiting_;
  std::size_t outlet_count_;
  FairQueue queue_;
  bool is_due_ = false;
};

}  // namespace ringway
