#pragma once

#include <algorithm>
#include <cstddef>

#include "base/time.h"
#include "dataplane/offloads.h"

/// What the loops that move packets, a worker's and a client's, may use and how long they wait.
namespace ringway {

/// The memory that one worker may use, all of it taken at start. Sizes in bytes. A client's loop
/// has the same, as far as it has the same parts.
struct WorkerLimits {
  /// Buffers that the kernel fills with datagrams. It bounds what may wait for the TUN.
  std::size_t link_receive_size = 4 << 20;
  /// The same with Offloads::link_gro, where each has room for a train.
  std::size_t link_receive_trains_size = 16 << 20;
  /// Buffers that the kernel fills with inner packets. It bounds what may wait for the link.
  std::size_t tun_receive_size = 1 << 20;
  /// The same with Offloads::tun, where each has room for a super-packet.
  std::size_t tun_receive_super_size = 8 << 20;
  /// Buffers of sealed datagrams on their way out.
  std::size_t send_size = 4 << 20;
  /// The same with Offloads::link_gso, where each has room for a train.
  std::size_t send_trains_size = 16 << 20;
  /// Buffers that the kernel fills with what TCP connections bring.
  std::size_t stream_receive_size = 4 << 20;
  /// TCP connections of a worker: of clients, and of strangers that have not proven themselves.
  /// Each has a socket, and memory for a frame that is not whole; a slow one that has much to
  /// receive 64 KiB more.
  std::size_t streams_max = 4096;
  std::size_t half_open_streams_max = 512;
  /// Copies of packets from other clients and other workers that wait for the link.
  std::size_t relayed_size = 1 << 20;
  /// Buffers for datagrams taken over from other workers, until the TUN has them.
  std::size_t taken_over_size = 1 << 20;
  /// Stateless answers to strangers that may be under way.
  std::size_t answers_max = 512;
  /// The ring of control datagrams of connected clients towards the control thread.
  std::size_t control_ring_size = 1 << 20;
  /// The same of those that have returned a cookie and are not connected yet: some 800 first
  /// packets. What finds no room is sent again by its client.
  std::size_t newcomer_ring_size = 256 << 10;
  /// The ring of what the control thread has to say over TCP connections.
  std::size_t from_control_size = 1 << 20;
  /// Each ring between two workers.
  std::size_t lane_size = 1 << 20;
  /// Commands and reports that may wait.
  std::size_t command_count = 4096;
  std::size_t report_count = 4096;

  // What counts with these offloads.
  [[nodiscard]] std::size_t link_receive(const Offloads& offloads) const {
    return offloads.link_gro ? link_receive_trains_size : link_receive_size;
  }
  [[nodiscard]] std::size_t tun_receive(const TunOffloads& offloads) const {
    return offloads.tcp || offloads.udp ? tun_receive_super_size : tun_receive_size;
  }
  [[nodiscard]] std::size_t send(const Offloads& offloads) const {
    return offloads.link_gso ? send_trains_size : send_size;
  }
};

/// The largest datagram that makes sense where inner packets have at most `tun_mtu` bytes.
constexpr std::size_t datagram_size_max(std::size_t tun_mtu) {
  // Control datagrams are this large whatever the MTU of the tunnel is.
  constexpr std::size_t kControlMax = 2048;
  // Beyond the inner packet: header, tag and packet id, and stub framing of old clients.
  constexpr std::size_t kOverheadMax = 128;
  return std::max(kControlMax, tun_mtu + kOverheadMax);
}

/// Groups of provided buffers in a loop's ring.
inline constexpr std::uint16_t kLinkGroup = 0;
inline constexpr std::uint16_t kTunGroup = 1;
inline constexpr std::uint16_t kStreamGroup = 2;
/// How often a loop does what is to be done now and then.
inline constexpr Duration kTick = 1s;
/// After so many ticks, clients to whom trains were refused get another chance.
inline constexpr unsigned kTicksPerRefusal = 600;
/// How often a full socket is asked whether it takes more: at half of its buffer it says so itself,
/// which is late where the link is slow.
inline constexpr Duration kFullSocketWait = 1ms;
/// After a failed submission, so that want of memory does not become a spin (R16).
inline constexpr std::chrono::milliseconds kPauseAfterFailure{5};

}  // namespace ringway
