#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/channel/push.h"
#include "control/config/client_config.h"
#include "tun/link_config.h"

namespace ringway {

/// A route beside the tunnel that was asked for by name; `control/client_bypass` finds its way.
struct BesideRoute {
  Prefix destination;
  /// Unset: the host's own gateway, `net_gateway`.
  std::optional<IpAddress> gateway;
  std::optional<std::uint32_t> metric;

  friend bool operator==(const BesideRoute&, const BesideRoute&) = default;
};

/// The IPv4 addresses of names; a name that has none is there all the same.
using HostAddresses = std::map<std::string, std::vector<IpAddress>, std::less<>>;

/// The hosts to which routes are to lead: those of the profile, and under `allow-pull-fqdn` the
/// server's. Each once.
std::vector<std::string> route_hosts(const PushReply& reply, const ClientConfig& config);

/// What a PUSH_REPLY and the profile together make of the client's network, as far as that can be
/// said without a look at the host. Pure value.
struct ClientNetwork {
  /// The device, its addresses and the routes into the tunnel.
  LinkSettings link;
  std::vector<BesideRoute> beside;
  /// What is refused at once while the tunnel stands.
  std::vector<Prefix> unreachable;
  /// The server is not kept reachable by a route of its own: `redirect-gateway local`.
  bool no_server_route = false;
  bool bypass_dns = false;
  bool block_local = false;
  DnsLines dns;
  /// All that the profile and the server say, for scripts.
  NetworkLines lines;
  /// What was pushed and is left aside, each a sentence for the log; holds text of the server.
  std::vector<std::string> notes;

  /// Refuses what would leave traffic unprotected or misread when it is left aside (compression),
  /// and what contradicts itself. Addresses: `topology subnet`, net30 and p2p, and IPv6. The error
  /// may hold text of the server. `hosts` is what the names of route_hosts() have been found to be.
  static Result<ClientNetwork> make(const PushReply& reply, const ClientConfig& config,
                                    const Endpoint& remote, const HostAddresses& hosts = {});

  /// Whether a device that was made from `other` serves this as well.
  [[nodiscard]] bool is_same_as(const ClientNetwork& other) const;
};

/// Whether `pull-filter` wants a pushed option to count for nothing.
[[nodiscard]] bool is_ignored(std::string_view option, const ClientConfig& config);
/// `reply` after the profile's `pull-filter` and `route-nopull`; the error names what is rejected.
Result<PushReply> filter_push(const PushReply& reply, const ClientConfig& config);

}  // namespace ringway
