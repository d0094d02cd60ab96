#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "dataplane/spsc_queue.h"

namespace ringway {

/// What a record of a PacketRing is.
enum class PacketKind : std::uint8_t {
  LinkDatagram,     ///< a data-channel datagram, for the worker that owns its session
  InnerPacket,      ///< an inner IP packet, for the worker that owns its destination
  ControlDatagram,  ///< a control-channel datagram, for or from the control thread
  ConnectionEnd,    ///< no bytes: the TCP connection has ended (from a worker), or is to (to it)
};

/// What travels beside the bytes.
struct PacketOrigin {
  PacketKind kind = PacketKind::LinkDatagram;
  /// Who received it.
  WorkerId worker;
  /// Of datagrams, and the mark that they came under (LinkArrival::ecn).
  LinkEndpoint endpoint;
  std::uint8_t ecn = 0;
  /// Of inner packets: they came from the TUN, and not from a client.
  bool from_tun = false;
};

/// A bounded queue of packets between exactly one producer thread and one consumer thread: between
/// a worker and the control thread, or to another worker. It copies, so that no buffer ever has two
/// threads in its life. When it is full, push() refuses: the caller drops the packet and counts it.
/// All memory is allocated by the constructor.
class PacketRing {
 public:
  struct Record {
    PacketOrigin origin;
    /// Inside the ring; valid until pop().
    Bytes bytes;
  };

  /// `capacity` in bytes, rounded up to a power of two; at least 4 KiB. A packet takes its size and
  /// kRecordOverhead, and must not be larger than half of the ring.
  explicit PacketRing(std::size_t capacity);
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  /// Producer only. False when there is no room.
  [[nodiscard]] bool push(const PacketOrigin& origin, Bytes bytes);

  /// Consumer only: looks at what has been pushed. front() hands out what the last observe() saw
  /// and no more, so that a worker can look first, drain its commands next, and handle the packets
  /// last (the ordering rule of dataplane/messages.h). True when there is anything.
  bool observe();
  /// Consumer only: the oldest record among those observed.
  [[nodiscard]] std::optional<Record> front();
  /// Consumer only, after front() returned a record.
  void pop();

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  static constexpr std::size_t kRecordOverhead = 64;

 private:
  struct Header {
    std::uint32_t size = 0;
    PacketOrigin origin;
  };
  static_assert(sizeof(Header) <= kRecordOverhead);

  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> memory_;
  /// Positions only grow, in bytes, always multiples of kAlignment.
  alignas(kCacheLineSize) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t head_seen_ = 0;
  alignas(kCacheLineSize) std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_seen_ = 0;
};

}  // namespace ringway
