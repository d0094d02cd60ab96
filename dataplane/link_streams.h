#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "dataplane/counters.h"
#include "dataplane/half_open_list.h"
#include "dataplane/lasting_request.h"
#include "dataplane/ring.h"
#include "dataplane/slot_queue.h"
#include "dataplane/stream_framing.h"
#include "dataplane/stream_output.h"
#include "dataplane/stream_receiver.h"
#include "dataplane/tcp_socket.h"

namespace ringway {

/// SHELL: the TCP connections of one thread, from accept to close: what LinkReceiver and LinkSender
/// together are for UDP.
///
///     Greeting   nothing whole has come; the first packet must be a client's reset
///     HalfOpen   it was; the control thread talks to whoever it is
///     Awaited    somebody is asked about the client (await()): how long, the control thread knows
///     Proven     the client was let in (prove()), or it is our own connection
///     Ending     closed as soon as what is queued is sent and the other end has closed, too
///     Dead       shut down; gone when the kernel holds nothing of it any more, and it was reported
///
/// Nothing is sent before something came. Who does not prove himself in time, or brings what no
/// client brings, is reset. Of those that have not proven themselves there is a limited number, and
/// HalfOpenList says who makes room; where all places are taken, first of those that have ended
/// already, then of strangers, then of those that are awaited. A socket is closed after its last
/// completion (security goal E01), and ConnectionId::generation keeps what was meant for it from
/// the next in its place.
///
/// One thread, that of the ring. Allocates when connections come and go, and not for packets.
class LinkStreams {
 public:
  struct Settings {
    /// Of the ring's provided buffers.
    std::uint16_t group = 0;
    /// Bytes for what is received.
    std::size_t receive_budget = 0;
    std::size_t datagram_size_max = 0;
    WorkerId self;
    std::uint16_t worker_count = 1;
    /// LinkEndpoint::listener of the first listener.
    std::uint8_t first_listener = 0;
    std::size_t streams_max = 1;
    std::size_t half_open_max = 0;
    /// How long a client has to be let in.
    Duration hand_window{60s};
  };
  /// ... and for its first packet, which a client sends at once.
  static constexpr Duration kGreetingWindow = 10s;
  /// How long the other end may take to close what we have ended.
  static constexpr Duration kEndingWindow = 5s;
  /// Sockets that were shut down and have not completed yet, beside streams_max.
  static constexpr std::size_t kDyingMax = 1024;

  /// `listeners` and `counters` outlive this.
  LinkStreams(const Settings& settings, std::span<const TcpListener> listeners, Counters& counters);
  ~LinkStreams();
  LinkStreams(const LinkStreams&) = delete;
  LinkStreams& operator=(const LinkStreams&) = delete;

  /// Registers the buffers with the ring.
  [[nodiscard]] Result<void> open(Ring& ring) { return receiver_.open(ring); }
  /// A connection of our own making: Proven. Nothing when the socket is closed already.
  [[nodiscard]] std::optional<LinkEndpoint> add(TcpSocket socket, Instant now);
  /// Arms accepts and receives, and prepares sends. At the end of a turn.
  void submit(Ring& ring);
  /// A completion of a stream's operation.
  void note(const Completion& completion, Instant now);
  /// Once a second.
  void note_tick(Instant now);

  // What came: a part at a time, of one connection, with at most as many datagrams as the TUN
  // writer takes from one buffer.

  /// False when there is nothing.
  [[nodiscard]] bool begin_part();
  [[nodiscard]] const LinkEndpoint& from() const { return part_from_; }
  /// Nothing when the part is over.
  [[nodiscard]] std::optional<MutableBytes> next_datagram();
  /// The id of the part's memory when it `is_held` by a write: until release().
  std::uint32_t end_part(bool is_held);
  void release(std::uint32_t buffer) { receiver_.release(buffer); }

  // What goes. The size of a datagram is datagram_size_max at most.

  /// reserve() will succeed. True also where there is no connection (any more): what is for it goes
  /// nowhere, and has nothing to wait for.
  [[nodiscard]] bool is_ready(ConnectionId connection);
  [[nodiscard]] MutableBytes reserve(ConnectionId connection, std::size_t size);
  void commit();
  /// Queues a copy; false when there is no room or no connection.
  [[nodiscard]] bool send(ConnectionId connection, Bytes datagram);

  // What becomes of connections. Nothing happens when they are gone.

  /// The client behind it has shown what it can, and waits for a verdict.
  void await(ConnectionId connection);
  /// The client behind it was let in, or has only to be told where to live.
  void prove(ConnectionId connection);
  /// Closes it when what is queued is sent.
  void end(ConnectionId connection, Instant now);
  /// Resets it for what it brought.
  void fail(ConnectionId connection);
  /// One that has ended, and is to be reported; the same until pop_ended().
  [[nodiscard]] const LinkEndpoint* front_ended() const {
    return ended_.empty() ? nullptr : &ended_.front();
  }
  void pop_ended();

  /// How many requests can be in flight.
  [[nodiscard]] std::size_t in_flight_max() const {
    return listeners_.size() + 2 * (settings_.streams_max + kDyingMax);
  }
  [[nodiscard]] std::size_t count() const { return live_count_; }
  [[nodiscard]] std::size_t half_open_count() const { return half_open_.size(); }
  /// Instead of note(), when the loop ends.
  void reclaim(const Completion& completion);

 private:
  enum class Stage : std::uint8_t { Greeting, HalfOpen, Awaited, Proven, Ending, Dead };
  struct Stream {
    Stream(TcpSocket connected, const LinkEndpoint& at, std::size_t size_max, StreamChunks& chunks)
        : socket(std::move(connected)), endpoint(at), rest(size_max), output(chunks) {}
    TcpSocket socket;
    LinkEndpoint endpoint;
    StreamRest rest;
    StreamOutput output;
    Stage stage = Stage::Greeting;
    /// When it entered its stage; a client has from the first one for all of them.
    Instant since;
    bool is_receiving = false;
    bool has_arrival = false;
    bool has_ended_sending = false;
    bool is_reported = false;
  };
  struct Slot {
    std::uint32_t generation = 0;
    std::unique_ptr<Stream> stream;
  };

  void note_accepted(const Completion& completion, Instant now);
  [[nodiscard]] bool make_room();
  [[nodiscard]] bool evict_from(const HalfOpenList& list);
  void unlist(const Stream& stream);
  Stream* admit(TcpSocket socket, std::uint8_t listener, Instant now);
  [[nodiscard]] std::optional<std::uint32_t> take_slot();
  void note_received(const Completion& completion);
  void note_sent(const Completion& completion);
  void accept_more(Ring& ring);
  void want_input(Stream& stream);
  void want_send(Stream& stream);
  void send_queued(Ring& ring);
  void kill(Stream& stream, bool reset);
  void bury_dead();
  [[nodiscard]] bool is_overdue(const Stream& stream, Instant now) const;
  [[nodiscard]] Stream* find(ConnectionId connection) const;
  [[nodiscard]] std::uint32_t slot_of(const Stream& stream) const {
    return stream.endpoint.connection.number / settings_.worker_count;
  }
  [[nodiscard]] Stream* at(std::uint32_t slot) const { return slots_.at(slot).stream.get(); }

  Settings settings_;
  std::span<const TcpListener> listeners_;
  Counters& counters_;
  std::vector<LastingRequest> accepts_;
  StreamReceiver receiver_;
  StreamChunks chunks_;
  HalfOpenList half_open_;
  HalfOpenList awaited_;
  HalfOpenList ending_;
  std::vector<Slot> slots_;
  /// Without a stream; the one that is free longest is used first.
  SlotQueue free_;
  SlotQueue to_send_;
  SlotQueue dying_;
  /// To be reported. Their places are kept so long.
  std::deque<LinkEndpoint> ended_;
  std::size_t live_count_ = 0;
  /// Null: for a connection that is gone, into `nowhere_`.
  Stream* reserved_ = nullptr;
  std::vector<std::uint8_t> nowhere_;
  LinkEndpoint part_from_;
  std::size_t part_count_ = 0;
};

/// Whether a connection may begin with this datagram: a client's reset, with an id and a message
/// id. Pure.
[[nodiscard]] bool is_greeting(Bytes datagram);

}  // namespace ringway
