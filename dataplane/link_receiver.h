#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "dataplane/counters.h"
#include "dataplane/datagram_train.h"
#include "dataplane/lasting_request.h"
#include "dataplane/link_message.h"
#include "dataplane/receive_buffers.h"
#include "dataplane/ring.h"
#include "dataplane/udp_socket.h"

namespace ringway {

/// What arrives on the sockets of one thread: a lasting receive on each, one set of buffers, and
/// the messages that wait to be taken, in order.
///
/// One thread, that of the ring; allocates in its constructor only.
class LinkReceiver {
 public:
  struct Settings {
    /// Of the ring's provided buffers.
    std::uint16_t group = 0;
    /// Bytes for all buffers.
    std::size_t budget = 0;
    std::size_t datagram_size_max = 0;
    /// The sockets have UDP_GRO: buffers have room for trains.
    bool gro = false;
  };
  /// The payload of a train: what the length field of UDP can say.
  static constexpr std::size_t kTrainSizeMax = 65'535;

  /// A message that was taken. Its buffer belongs to the taker until give_back() or lend().
  struct Message {
    std::uint16_t buffer = 0;
    LinkArrival arrival;
    DatagramTrain datagrams;
  };

  /// `sockets`, in the order of LinkEndpoint::listener, and `counters` outlive the receiver.
  LinkReceiver(const Settings& settings, std::span<const UdpSocket> sockets, Counters& counters);
  LinkReceiver(const LinkReceiver&) = delete;
  LinkReceiver& operator=(const LinkReceiver&) = delete;

  /// Registers the buffers with the ring.
  [[nodiscard]] Result<void> open(Ring& ring) { return buffers_.open(ring); }
  /// Gives buffers back to the kernel, and arms the receives that have ended. Once a turn.
  void arm(Ring& ring);
  /// A completion of Operation::LinkReceive.
  void note_received(const Completion& completion);
  /// Once a second.
  void note_tick();

  [[nodiscard]] bool is_empty() const { return waiting_count_ == 0; }
  /// The oldest message; nothing when there is none. Those that cannot be read are counted and
  /// dropped on the way.
  [[nodiscard]] std::optional<Message> take();
  void give_back(std::uint16_t buffer) { buffers_.give_back(buffer); }
  /// To a write, and back when that has completed.
  void lend(std::uint16_t buffer) { buffers_.lend(buffer); }
  void release(std::uint16_t buffer);

  /// Instead of note_received(), when the loop ends.
  void reclaim(const Completion& completion);
  /// How many buffers there are.
  [[nodiscard]] std::size_t count() const { return buffers_.count(); }

 private:
  struct Waiting {
    std::uint16_t buffer = 0;
    std::uint8_t listener = 0;
    MutableBytes bytes;
  };
  std::optional<Message> read(const Waiting& waiting);

  std::span<const UdpSocket> sockets_;
  Counters& counters_;
  ReceiveBuffers buffers_;
  /// What a multishot recvmsg is told about the room for names and control data.
  msghdr header_{};
  std::vector<LastingRequest> receives_;
  /// A ring with room for every buffer.
  std::vector<Waiting> waiting_;
  std::size_t first_waiting_ = 0;
  std::size_t waiting_count_ = 0;
};

}  // namespace ringway
