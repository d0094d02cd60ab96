#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/socket_route.h"
#include "dataplane/udp_socket.h"

namespace ringway {

struct TcpListenSettings {
  /// Unset: every address of the machine.
  std::optional<IpAddress> address;
  /// The interface of a link-local address.
  std::uint32_t scope_id = 0;
  /// 0: a free one, the same for the whole group.
  std::uint16_t port = 1194;
  SocketFamily family = SocketFamily::Both;
  /// Accepted connections have it, too.
  SocketRoute route;
};

/// One TCP connection: it sends at once (TCP_NODELAY: what is sealed is a packet, and waits for no
/// other), the kernel keeps little that it cannot send yet (TCP_NOTSENT_LOWAT: what waits shall
/// wait where there is fairness), and a peer that vanishes is noticed (SO_KEEPALIVE).
///
/// The socket itself is blocking, so that io_uring waits for it instead of failing; nothing else
/// calls what could block. Move-only; one thread.
class TcpSocket {
 public:
  static constexpr int kUnsentMax = 128 << 10;

  /// A connected socket. Nothing when it has been closed by the other end meanwhile, or fails.
  [[nodiscard]] static std::optional<TcpSocket> adopt(UniqueFd fd);
  /// A new one that is to be connected: not started yet. `device` and marks are its owner's.
  [[nodiscard]] static Result<TcpSocket> open(bool ipv6);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::optional<Endpoint> remote() const;
  [[nodiscard]] std::optional<Endpoint> local() const;
  /// Says the end of what we send; the rest of it is still delivered.
  void end_sending() const;
  /// Ends both ways: whatever waits in the kernel for this socket completes now.
  void end() const;
  /// Closing it will reset the connection, and leave nothing of it behind in the kernel: for
  /// strangers.
  void reset_on_close() const;

 private:
  explicit TcpSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  void set_options() const;
  UniqueFd fd_;
};

/// One listening TCP socket of a group. Move-only; owned by a worker.
class TcpListener {
 public:
  /// Connections that wait to be accepted; the kernel's net.core.somaxconn may say less.
  static constexpr int kBacklog = 1024;

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What it is bound to; the port is never 0.
  [[nodiscard]] Endpoint local() const;

 private:
  friend class TcpListenerOpener;
  explicit TcpListener(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// The sockets of one listener: one a worker (SO_REUSEPORT), over which the kernel spreads
/// connections.
struct TcpListenerGroup {
  std::vector<TcpListener> listeners;
  /// Both families were asked for and the kernel has no IPv6: the caller warns.
  bool without_ipv6 = false;
};

/// Opens `count` sockets on one port. Refuses a port that somebody else listens on, also where
/// SO_REUSEPORT would let two servers of one user share it.
Result<TcpListenerGroup> open_tcp_listeners(const TcpListenSettings& settings, std::uint16_t count);

}  // namespace ringway
