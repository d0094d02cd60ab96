#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "control/address_pool.h"
#include "control/channel/control_channel.h"
#include "control/channel/peer_info.h"
#include "control/channel/push.h"
#include "control/config/client_terms.h"
#include "control/config/config.h"

namespace ringway {

/// Our half of the options-consistency string. The key direction is left to the channel, which
/// knows its wrapping.
std::string server_options_string(const ServerConfig& config, bool is_tcp);

/// Whom a PUSH_REPLY is for.
struct PushSubject {
  const PeerInfo& peer_info;
  const Admission& admission;
  const Lease& lease;
  const ClientTerms& terms;
  PeerId peer_id;
};

/// The options of one client's PUSH_REPLY: `pushes`, the server's own (ServerConfig::push), as its
/// lines change them, but for routes to what is behind the client itself; then the client's
/// addresses, peer id, cipher and key derivation, and the tun-mtu where the client takes one.
/// Nothing that the client did not announce: OpenVPN 3 aborts on a protocol flag that it does not
/// know. Pure.
PushReply assemble_push_reply(const TunnelConfig& tunnel, const std::vector<std::string>& pushes,
                              const PushSubject& subject);

}  // namespace ringway
