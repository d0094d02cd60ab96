#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/counters.h"
#include "dataplane/gso_batch.h"
#include "dataplane/gso_refusals.h"
#include "dataplane/link_message.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"
#include "dataplane/udp_socket.h"

namespace ringway {

/// The datagrams of one worker on their way out, in order.
///
/// A datagram is built in what reserve() gives, where it is sent from. With `gso`, datagrams that
/// come one after the other for one endpoint share a buffer and a send (GsoBatch). The buffer, its
/// addresses and its message header belong to the kernel until the send completes (E01).
///
/// What waits shall wait where there is fairness, not here: is_ready() says whether a socket's send
/// buffer takes more, and who has packets for it asks before each. Each socket has a credit,
/// renewed by asking how full it is when the credit is used up. A part of the send buffer is never
/// used: the control thread sends on the same sockets, and has nowhere to wait. A send that meets a
/// full buffer all the same (other threads send on the socket, and the kernel's segmentation makes
/// what is queued grow) is taken back and tried again, ahead of all that was not submitted yet.
///
/// A train that the kernel refuses (E08) is sent again as single datagrams from the same buffer,
/// likewise ahead, and GsoRefusals remembers. Where trains are refused in a row that no route finds
/// too large, the socket goes without GSO until forget_refusals(). Larger ones do not count: who is
/// sent such datagrams is up to a client, and the others shall keep their trains.
///
/// One thread; allocates in its constructor only.
class LinkSender {
 public:
  struct Settings {
    /// Bytes for all buffers.
    std::size_t budget = 0;
    std::size_t datagram_size_max = 0;
    /// UDP_SEGMENT is used, and buffers are of kTrainBufferSize.
    bool gso = false;
    std::size_t segments_max = GsoBatch::kSegmentsMaxOld;
    /// What its requests are called where a loop has two senders.
    Operation send_operation = Operation::LinkSend;
    Operation writable_operation = Operation::LinkWritable;
  };
  static constexpr std::size_t kTrainBufferSize = 65'536;
  /// Trains refused in a row, with none accepted in between, that end GSO on a socket for a while.
  static constexpr unsigned kRefusalsMax = 16;
  /// A datagram that every route takes whole: what IPv6 and UDP leave of its smallest MTU (RFC 8200
  /// 5).
  static constexpr std::size_t kUndividedSizeMax = 1280 - 40 - 8;
  /// What is left to other threads of a socket's send buffer, of which a train that is larger than
  /// the credit takes its part: at most so much, and of a small buffer a quarter.
  static constexpr std::int64_t kLeftToOthers = 256 << 10;
  /// How often a datagram is tried for which the send buffer had room by its own account, before it
  /// counts as failed.
  static constexpr unsigned kAttemptsMax = 16;

  /// `sockets` in the order of LinkEndpoint::listener; they outlive the sender.
  LinkSender(const Settings& settings, std::span<const UdpSocket> sockets);

  /// The socket takes more, and there is a buffer: reserve() will succeed. False: come back after
  /// the next completion, or when is_waiting() after a millisecond.
  [[nodiscard]] bool is_ready(std::uint8_t listener);
  /// There are buffers enough for send(), whatever the socket says: for what is small and rare. A
  /// quarter is left to the datagrams that ask is_ready(), so that pings which wait for one socket
  /// do not take the room of the others.
  [[nodiscard]] bool has_room() const { return pool_.free_count() > pool_.count() / 4; }

  /// Memory for the next datagram, of exactly `size` bytes; empty when there is none, or when the
  /// size is beyond a buffer's. Nothing is queued before commit(); another reserve() forgets it.
  /// `traffic_class` is that of the outer packet; a train has one.
  [[nodiscard]] MutableBytes reserve(const LinkEndpoint& to, std::size_t size,
                                     std::uint8_t traffic_class = 0);
  /// Queues the datagram that was built in what the last reserve() gave.
  void commit();
  /// Queues a copy. False, and nothing is done, when there is no room.
  [[nodiscard]] bool send(const LinkEndpoint& to, Bytes datagram);
  /// The same for one that shares no send with others, because it may be too large to get anywhere.
  [[nodiscard]] bool send_alone(const LinkEndpoint& to, Bytes datagram);

  struct Outcome;
  /// Sends one at once that is larger than the path carries and has to be sent all the same
  /// (UdpSocket::send_divisible). It overtakes what is queued.
  [[nodiscard]] Outcome send_divisible(const LinkEndpoint& to, Bytes datagram);

  /// Prepares what is queued. True when a socket has become full.
  bool submit(Ring& ring);
  /// Something waits until a socket's send buffer drains.
  [[nodiscard]] bool is_waiting() const;

  /// What a completion of Settings::send_operation means.
  struct Outcome {
    /// Datagrams and bytes that were sent.
    std::size_t datagram_count = 0;
    std::size_t size = 0;
    /// More than one datagram in one send.
    bool is_train = false;
    /// A train that will be sent as single datagrams.
    bool is_refused = false;
    /// Datagrams that are lost, and the errno.
    std::size_t failed_count = 0;
    int error = 0;
    /// A datagram that no route of ours takes (EMSGSIZE), and where it should have gone; 0: none.
    std::size_t too_big_size = 0;
    LinkEndpoint too_big_for;

    void count_in(Counters& counters) const;
  };
  Outcome note_sent(const Completion& completion);
  /// A completion of Settings::writable_operation.
  void note_writable(const RequestTag& tag);
  /// From time to time (minutes): clients to whom trains were refused get another chance, and so do
  /// sockets.
  void forget_refusals();

  /// How many requests can be in flight.
  [[nodiscard]] std::size_t count() const { return pool_.count() + segments_max_; }

  /// An upper bound of what the kernel charges a socket for a datagram, and for a train.
  [[nodiscard]] static std::int64_t charge_of(std::size_t datagram_size);
  [[nodiscard]] static std::int64_t charge_of_train(std::size_t size);

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  /// A datagram or a train; by slot of the pool.
  struct Outgoing {
    OutgoingMessage message;
    GsoBatch batch;
    LinkEndpoint to;
    std::uint8_t traffic_class = 0;
    /// While the kernel has not got it.
    std::optional<PacketBuffer> buffer;
    std::int64_t charge = 0;
    std::uint32_t next = kNone;
    unsigned attempts = 0;
    bool goes_singly = false;
  };
  /// Slots, in order.
  struct Line {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  /// A socket and what waits for it.
  struct Outlet {
    const UdpSocket* socket = nullptr;
    /// What we use of it.
    std::int64_t send_buffer_size = 0;
    /// What may still be submitted before the socket is asked again.
    std::int64_t credit = 0;
    /// The charge of what waits here, and of sends that have not completed: the kernel need not
    /// have counted them yet.
    std::int64_t queued = 0;
    std::int64_t in_flight = 0;
    std::size_t in_flight_count = 0;
    bool has_gso = false;
    unsigned refused_in_a_row = 0;
    bool is_full = false;
    bool awaits_room = false;
    Line again;
    Line queue;
  };

  [[nodiscard]] bool has_buffer() const { return open_is_empty() || pool_.free_count() > 0; }
  [[nodiscard]] bool open_is_empty() const {
    return open_ != kNone && outgoing_[open_].batch.segment_count() == 0;
  }
  [[nodiscard]] bool renew_credit(Outlet& outlet) const;
  void close_open();
  void append(Line& line, std::uint32_t slot);
  std::uint32_t take_first(Line& line);
  bool submit(Ring& ring, Outlet& outlet, std::uint8_t listener);
  bool submit_first(Ring& ring, Outlet& outlet, std::uint8_t listener);
  void submit_singles(Ring& ring, Outlet& outlet);
  Outcome note_batch_sent(Outlet& outlet, std::uint32_t slot, std::int32_t result);
  struct Refused {
    std::size_t count = 0;
    std::size_t size = 0;
  };
  [[nodiscard]] static Outcome failure(const Outgoing& outgoing, const Refused& refused, int error);
  Outcome note_single_sent(Outlet& outlet, std::size_t index, std::int32_t result);

  Operation send_operation_;
  Operation writable_operation_;
  std::size_t datagram_size_max_;
  bool wants_gso_;
  std::size_t segments_max_;
  BufferPool pool_;
  std::unique_ptr<Outgoing[]> outgoing_;
  std::vector<Outlet> outlets_;
  GsoRefusals refusals_;

  /// The slot whose batch takes the next datagram.
  std::uint32_t open_ = kNone;
  std::size_t reserved_size_ = 0;

  /// The one train that is being sent as single datagrams, and their messages.
  std::unique_ptr<OutgoingMessage[]> singles_;
  std::uint32_t singles_slot_ = kNone;
  std::size_t singles_prepared_ = 0;
  std::size_t singles_done_ = 0;
};

}  // namespace ringway
