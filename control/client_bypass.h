#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "control/client_network.h"
#include "tun/host_route.h"

namespace ringway {

/// What the host's own network looks like. Pure value.
struct HostView {
  /// Without those that we have set ourselves.
  std::vector<HostRoute> routes;
  /// The number of our TUN device, whose routes do not count.
  unsigned tunnel = 0;
  /// What the host's resolver asks.
  std::vector<IpAddress> name_servers;
};

/// What must be set around a tunnel so that it does not swallow its own packets, and what else
/// leads beside it. Pure value.
struct ClientBypass {
  /// To be set in this order, before the routes into the tunnel.
  std::vector<HostRoute> beside;
  /// More routes into the tunnel: `block-local`.
  std::vector<LinkRoute> inside;
  /// What is left aside and why, for the log.
  std::vector<std::string> notes;

  /// `servers` are the real addresses that must stay reachable. A server gets a route of its own
  /// where a route into the tunnel is as narrow as the host's present way to it, or narrower.
  static ClientBypass make(const ClientNetwork& network, std::span<const IpAddress> servers,
                           const HostView& host);
};

/// The addresses on `nameserver` lines of resolv.conf. Pure.
std::vector<IpAddress> name_servers_of(std::string_view resolv_conf);

}  // namespace ringway
