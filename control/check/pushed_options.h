#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "control/config/config.h"

/// What `push` lines lead into the tunnel. Pure.
namespace ringway {

struct PushedRoutes {
  std::vector<Prefix> routes;
  /// `redirect-gateway`, for each family; IPv4 unless `!ipv4`.
  bool redirects_v4 = false;
  bool redirects_v6 = false;
  /// `block-ipv6`: clients drop IPv6 that has no way through the tunnel.
  bool blocks_v6 = false;
};

PushedRoutes pushed_routes(const ServerConfig& config);

}  // namespace ringway
