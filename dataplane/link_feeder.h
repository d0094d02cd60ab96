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
#include "dataplane/link_streams.h"
#include "dataplane/outbox.h"
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
/// TCP connections have one outlet together, where a client whose connection is full is set aside.
///
/// A frame of packets that are larger than what its peer's path takes is fragmented here where its
/// sender allows that (IPv4 without Don't Fragment), and answered if not.
///
/// One thread, the worker's; allocates in its constructor only.
class LinkFeeder {
 public:
  struct Settings {
    /// UDP sockets.
    std::size_t socket_count = 1;
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
    /// May be null.
    LinkStreams* streams = nullptr;
    ReceiveBuffers& read_buffers;
    Counters& counters;
    Outbox& outbox;
  };
  LinkFeeder(const Settings& settings, const Surroundings& around);

  /// A frame of this worker, in a read buffer that the user owns and that goes back by itself.
  /// `packet` is what `frame` was routed from.
  void add(std::uint16_t buffer, MutableBytes packet, const RoutedFrame& frame, Instant now);
  /// A packet that lies elsewhere: sent at once where nothing waits, or else copied. `origin` is to
  /// whom it is said that it is too big.
  struct Origin {
    TooBigAnswers::Occasion::To to = TooBigAnswers::Occasion::To::Tun;
    /// Of what came from a client of this worker.
    PeerId peer;
  };
  void forward(MutableBytes packet, const RoutedFrame& frame, const Origin& origin, Instant now);
  /// Sends what the sockets take, and drops what has to be dropped.
  void drain(Instant now);

  /// How many read buffers the kernel shall be able to fill, at least.
  [[nodiscard]] std::size_t wanted_reads(Instant now) const {
    return queue_.is_contended(now) ? kReadAhead : 0;
  }
  /// drain() has stopped at its limit, and wants to be called again at once.
  [[nodiscard]] bool is_due() const { return is_due_; }
  /// Packets wait for a slow TCP client, and will be too old after kSojournMax.
  [[nodiscard]] bool has_set_aside() const {
    return around_.streams != nullptr && queue_.has_set_aside(stream_outlet());
  }

 private:
  struct Waiting {
    MutableBytes packet;
    std::optional<RoutedFrame> frame;
  };

  /// The outlet of all TCP connections, which comes after those of the sockets.
  [[nodiscard]] std::uint8_t stream_outlet() const {
    return static_cast<std::uint8_t>(socket_count_);
  }
  [[nodiscard]] std::uint8_t outlet_of(const LinkEndpoint& endpoint) const {
    return endpoint.is_tcp() ? stream_outlet() : endpoint.listener;
  }
  [[nodiscard]] bool is_ready(const LinkEndpoint& endpoint);
  void drain_socket(std::uint8_t outlet, Instant now);
  void drain_streams(Instant now);
  [[nodiscard]] std::size_t turn_size_max(Instant now) const;
  void enqueue(std::uint32_t slot, MutableBytes packet, const RoutedFrame& frame,
               const PeerTarget& target, Instant now);
  void forward_fitting(MutableBytes packet, const RoutedFrame& frame, const PeerTarget& target,
                       Instant now);
  void refit(MutableBytes packet, const RoutedFrame& frame, const PeerTarget& target,
             const Origin& origin, Instant now);
  [[nodiscard]] bool send(RoutedFrame& frame, MutableBytes packet, Instant now);
  void send_divided(MutableBytes sealed, const LinkEndpoint& to);
  template <typename Outlet, typename Room>
  [[nodiscard]] bool send_by(Outlet& outlet, const Room& room_for, RoutedFrame& frame,
                             const PeerTarget& target, MutableBytes packet, Instant now);
  void release(std::uint32_t slot);

  Surroundings around_;
  BufferPool relayed_pool_;
  /// For the datagrams that are sent at once.
  std::vector<std::uint8_t> divided_;
  /// The packet that refit() has made last.
  std::vector<std::uint8_t> piece_;
  /// Slots of the queue: the read buffers, then these.
  std::vector<std::optional<PacketBuffer>> relayed_;
  std::vector<Waiting> waiting_;
  std::size_t socket_count_;
  FairQueue queue_;
  bool is_due_ = false;
};

}  // namespace ringway
