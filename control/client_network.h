#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "control/channel/push.h"
#include "control/config/client_config.h"
#include "tun/link_config.h"
#include "tun/mss_clamp.h"

namespace ringway {

/// What a PUSH_REPLY and the profile together make of the client's TUN device. Pure value.
struct ClientNetwork {
  LinkSettings link;
  /// From `mssfix` and the MTU, for what is sealed towards a server of the family of `remote`.
  MssLimits mss;
  /// What was pushed and is left aside, each a sentence for the log; holds text of the server.
  std::vector<std::string> notes;

  /// Refuses what would leave traffic unprotected or misread when it is left aside
  /// (redirect-gateway, compression), and what contradicts itself. Addresses: `topology subnet`,
  /// net30 and p2p, and IPv6. The error may hold text of the server.
  static Result<ClientNetwork> make(const PushReply& reply, const ClientConfig& config,
                                    const Endpoint& remote);
};

/// `reply` after the profile's `pull-filter` and `route-nopull`; the error names what is rejected.
Result<PushReply> filter_push(const PushReply& reply, const ClientConfig& config);

}  // namespace ringway
