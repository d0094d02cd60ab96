#pragma once

#include <vector>

#include "base/error.h"
#include "tun/host_route.h"
#include "tun/rtnetlink.h"

namespace ringway {

/// Takes one message of the kernel's answer: a route that HostRoutes::list() would have. The
/// message is whole (mnl_nlmsg_ok()); one that makes no sense as a route says nothing. Pure.
void take_route_message(const nlmsghdr& message, std::vector<HostRoute>& routes);

/// Reads the host's routes, and sets and takes away routes of our own beside the tunnel.
///
/// Ours carry a protocol number of their own (kProtocol; `ip route` shows "proto 82"): what is
/// taken away is what we have set, even when somebody else has set the same.
///
/// SHELL: one thread; changes need CAP_NET_ADMIN.
class HostRoutes {
 public:
  static constexpr std::uint8_t kProtocol = 82;

  static Result<HostRoutes> open();

  /// The unicast and unreachable routes of the main table, both families, without those of
  /// kProtocol.
  Result<std::vector<HostRoute>> list();
  /// False, and nothing is changed, when the host has a route to the same network with the same
  /// metric already.
  Result<bool> add(const HostRoute& route);
  /// One that is gone already is no error.
  Result<void> remove(const HostRoute& route);

 private:
  explicit HostRoutes(RtnetlinkSocket socket) : socket_(std::move(socket)) {}
  RtnetlinkSocket socket_;
};

}  // namespace ringway
