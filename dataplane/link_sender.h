#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/link_message.h"
#include "dataplane/packet_buffer.h"
#include "dataplane/ring.h"
#include "dataplane/udp_socket.h"

namespace ringway {

/// The datagrams of one worker on their way out. A datagram is built in room(), where it is sent
/// from; it, its addresses and its message header belong to the kernel until the send completes
/// (security goal E01). When everything is in flight there is no room: the worker then leaves
/// packets in the TUN, so that the kernel's queue discipline decides and not a drop here.
///
/// One thread; allocates in its constructor only.
class LinkSender {
 public:
  struct Settings {
    /// Bytes for all buffers.
    std::size_t budget = 0;
    std::size_t datagram_size_max = 0;
  };
  explicit LinkSender(const Settings& settings);

  /// The memory for the next datagram, the same until send() uses it; empty when all is in flight.
  [[nodiscard]] MutableBytes room();
  /// Prepares the send of `datagram`, which lies inside room(). False when the ring takes no more
  /// requests: nothing happened.
  [[nodiscard]] bool send(Ring& ring, const UdpSocket& socket, const LinkEndpoint& to,
                          Bytes datagram);
  /// The send with this tag has completed.
  void note_completed(const RequestTag& tag) {
    const PacketBuffer done = pool_.take_back(tag.slot);
  }

  [[nodiscard]] std::size_t count() const { return pool_.count(); }

 private:
  BufferPool pool_;
  /// By slot of the pool.
  std::unique_ptr<OutgoingMessage[]> messages_;
  std::optional<PacketBuffer> next_;
};

}  // namespace ringway
