#pragma once

#include "base/address.h"
#include "control/client_network.h"
#include "control/config/network_lines.h"

namespace ringway {

/// Fills in the routes of `network`, whose addresses are set, from `lines`: into the tunnel, beside
/// it, and what is unreachable. `server` is `remote_host`. Pure.
///
/// `redirect-gateway`, with `def1` or without, and routes to 0.0.0.0/0 and ::/0 become narrower
/// routes that override the host's default route, which is never touched: whatever becomes of us,
/// it is still there. Where the tunnel has no address of a family that is redirected, the family is
/// made unreachable, lest its traffic leaves beside the tunnel.
void set_client_routes(ClientNetwork& network, const NetworkLines& lines, const IpAddress& server);

}  // namespace ringway
