#pragma once

#include <cstddef>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "control/client_core.h"
#include "dataplane/tcp_socket.h"
#include "dataplane/udp_socket.h"

namespace ringway {

/// A server that has begun to answer: what the race for it hands to who goes on. Moved.
struct Connection {
  /// Over UDP: of one socket.
  UdpSocketGroup socket;
  /// Over TCP: connected, and nothing is read beyond the answer.
  std::optional<TcpSocket> stream;
  ClientCore core;
  Endpoint server;
  /// Our own address, to which the server has answered.
  std::optional<IpAddress> local;
  /// Into ClientConfig::remotes.
  std::size_t remote = 0;
  /// When the race began.
  Instant begun;
};

}  // namespace ringway
