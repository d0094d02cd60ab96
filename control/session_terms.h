#pragma once

#include "base/address.h"
#include "control/config/config.h"
#include "dataplane/messages.h"
#include "tun/mss_clamp.h"

namespace ringway {

/// What the data plane has to know of one client: its keep-alive and the largest MSS that fits the
/// client's family of outer addresses. `endpoint` is where the client is; `data_v2` whether it
/// speaks DATA_V2. Pure.
SessionSettings session_terms(const ServerConfig& config, const Endpoint& endpoint, bool data_v2);

/// The MSS limits alone. `data_v2` as above.
MssLimits mss_limits(const TunnelConfig::MssFix& mssfix, const Endpoint& endpoint, bool data_v2);

}  // namespace ringway
