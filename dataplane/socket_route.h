#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace ringway {

/// What decides about the way of a socket's packets besides their addresses. Value.
struct SocketRoute {
  /// An interface or a VRF to which the socket is bound (SO_BINDTODEVICE); empty: all.
  std::string device;
  /// Firewall mark of all that is sent (SO_MARK); 0: none.
  std::uint32_t mark = 0;
};

/// For sockets of any kind, before bind() or connect(). Needs CAP_NET_ADMIN for a mark, and
/// CAP_NET_RAW to move a socket from one device to another. SHELL. The error names the option.
Result<void> set_socket_route(int fd, const SocketRoute& route);

}  // namespace ringway
