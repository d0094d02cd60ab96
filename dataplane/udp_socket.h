#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/socket_family.h"
#include "dataplane/socket_route.h"

namespace ringway {

struct UdpSocketSettings {
  /// Unset: every address of the machine.
  std::optional<IpAddress> address;
  /// Index of the interface of a link-local address; 0 for all others.
  std::uint32_t scope_id = 0;
  /// 0: a free one, the same for the whole group.
  std::uint16_t port = 1194;
  SocketFamily family = SocketFamily::Both;
  /// Bytes; 0: the default of UdpSocket. The kernel may grant less to a process without
  /// CAP_NET_ADMIN.
  std::uint32_t send_buffer_size = 0;
  std::uint32_t receive_buffer_size = 0;
  /// Lets the kernel put datagrams of one client together (UDP_GRO); see UdpSocketGroup::gro.
  bool gro = false;
  SocketRoute route;
};

/// One listening UDP socket: dual-stack unless told otherwise. What it sends goes out whole, with
/// Don't Fragment over IPv4, whatever ICMP messages say; a datagram that does not fit the device's
/// MTU is refused (EMSGSIZE). How large they may be is for PathMtu to know.
///
/// Move-only; owned by a worker. A duplicate() shares the port and serves another thread, which may
/// send() on it; only the worker receives.
class UdpSocket {
 public:
  /// What arrives while a worker is busy waits in the receive buffer. What waits in the send buffer
  /// is delay: a hundredth of a second at a gigabit.
  static constexpr std::uint32_t kDefaultReceiveBufferSize = 4 << 20;
  static constexpr std::uint32_t kDefaultSendBufferSize = 1 << 20;

  /// Sends one datagram from the address (`to.local`) and port that the peer addressed. Does not
  /// block. Returns 0 or the errno; the caller counts it and goes on. Any thread.
  [[nodiscard]] int send(const LinkEndpoint& to, Bytes datagram) const;

  /// The same for a datagram that may be too large for the path, where nothing else can be done
  /// with it: over IPv6 it goes in fragments that fit every path (EPERM without CAP_NET_RAW at
  /// start), over IPv4 without Don't Fragment, so that a router with a narrow link divides it.
  /// Several system calls; meanwhile datagrams of other threads on the socket may go in the same
  /// way. The owner's thread.
  [[nodiscard]] int send_divisible(const LinkEndpoint& to, Bytes datagram) const;

  [[nodiscard]] Result<UdpSocket> duplicate() const;
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// False: an AF_INET socket, which speaks sockaddr_in and IP_PKTINFO.
  [[nodiscard]] bool is_ipv6() const { return is_ipv6_; }
  /// What it is bound to; the port is never 0.
  [[nodiscard]] Endpoint local() const;
  /// What the kernel granted, in bytes of payload and of its own bookkeeping.
  [[nodiscard]] std::uint32_t receive_buffer_size() const;
  [[nodiscard]] std::uint32_t send_buffer_size() const;
  /// The core on which the kernel handled the datagram that came last (SO_INCOMING_CPU).
  [[nodiscard]] std::optional<unsigned> incoming_core() const;
  /// How much of the send buffer is in use, counted in the same way.
  [[nodiscard]] std::uint32_t unsent_size() const;

 private:
  friend class UdpSocketOpener;
  UdpSocket(UniqueFd fd, bool is_ipv6) : fd_(std::move(fd)), is_ipv6_(is_ipv6) {}
  [[nodiscard]] int send_in_fragments(const LinkEndpoint& to, Bytes datagram) const;
  UniqueFd fd_;
  bool is_ipv6_ = false;
  /// Of an IPv6 socket, where it was permitted: takes whole IP packets. Receives nothing.
  UniqueFd raw_fd_;
};

/// The sockets of one listener: one a worker, all bound to one address and port.
struct UdpSocketGroup {
  std::vector<UdpSocket> sockets;
  /// Both families were asked for and the kernel has no IPv6: the caller warns.
  bool without_ipv6 = false;
  /// The kernel picks the socket by peer id; if not, the slow lane between workers carries more.
  bool steered = false;
  /// The kernel may deliver trains of datagrams (LinkArrival::segment_size). False when it was not
  /// asked to, or cannot.
  bool gro = false;
};

/// Opens `count` sockets on one port (SO_REUSEPORT) and steers data packets to socket
/// `peer id % count`. Refuses a port that somebody else has, also where SO_REUSEPORT would let two
/// servers of one user share it and each get half of the packets.
Result<UdpSocketGroup> open_udp_sockets(const UdpSocketSettings& settings, std::uint16_t count);

}  // namespace ringway
