#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/link_message.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"
#include "dataplane/udp_socket.h"

namespace ringway {

/// The datagrams of one worker on their way out, in order.
///
/// A datagram is built in room(), where it is sent from; it, its addresses and its message header
/// belong to the kernel until the send completes (security goal E01). When every buffer is taken
/// there is no room: the worker then leaves packets in the TUN, so that the kernel's queue
/// discipline decides and not a drop here.
///
/// Order is kept by never asking for more than the socket's buffer takes. Sends that find it full
/// would each wait on their own and wake in the reverse order, which a client's replay window and
/// its TCP connections would pay for. So each socket has a credit, renewed by asking how full it is
/// when the credit is used up; without credit, datagrams wait here until the socket is writable.
///
/// One thread; allocates in its constructor only.
class LinkSender {
 public:
  struct Settings {
    /// Bytes for all buffers.
    std::size_t budget = 0;
    std::size_t datagram_size_max = 0;
  };
  /// `sockets` in the order of LinkEndpoint::listener; they outlive the sender.
  LinkSender(const Settings& settings, std::span<const UdpSocket> sockets);

  /// The memory for the next datagram, the same until send() uses it; empty when all is taken.
  [[nodiscard]] MutableBytes room();
  /// Queues `datagram`, which lies inside room().
  void send(const LinkEndpoint& to, Bytes datagram);
  /// Prepares what is queued and has credit. True when a socket has become full.
  bool submit(Ring& ring);
  /// A completion of Operation::LinkSend.
  void note_sent(const RequestTag& tag);
  /// A completion of Operation::LinkWritable.
  void note_writable(const RequestTag& tag) { outlets_.at(tag.listener).awaits_room = false; }

  [[nodiscard]] std::size_t count() const { return pool_.count(); }

  /// An upper bound of what the kernel charges a socket for a datagram.
  [[nodiscard]] static std::int64_t charge_of(std::size_t datagram_size);

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  /// A datagram; by slot of the pool.
  struct Outgoing {
    OutgoingMessage message;
    /// While it is queued.
    std::optional<PacketBuffer> buffer;
    std::int64_t charge = 0;
    std::uint32_t next = kNone;
  };
  /// A socket and the datagrams that wait for it.
  struct Outlet {
    const UdpSocket* socket = nullptr;
    std::int64_t send_buffer_size = 0;
    std::int64_t credit = 0;
    /// The charge of sends that have not completed: the kernel need not have counted them yet.
    std::int64_t in_flight = 0;
    bool awaits_room = false;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  bool submit(Ring& ring, Outlet& outlet, std::uint8_t listener);

  BufferPool pool_;
  std::unique_ptr<Outgoing[]> datagrams_;
  std::vector<Outlet> outlets_;
  std::optional<PacketBuffer> next_;
};

}  // namespace ringway
