#pragma once

#include "base/error.h"
#include "control/config/config_draft.h"

namespace ringway {

/// Once all lines are known: listeners out of `proto`, `port` and `local`, timers out of
/// `keepalive`, the tunnel's addresses and its pool, the key that protects control packets, and the
/// pushed options that other options imply. Errors are about values that contradict each other.
/// Pure.
Result<void> derive_config(ConfigDraft& draft);

/// The part that clients have as well: `tls-auth` or `tls-crypt`, with its direction and digest.
Result<void> derive_wrap(ConfigDraft& draft);

/// fe80::/10: an address that means nothing without its interface.
bool is_link_local(const IpAddress& address);

}  // namespace ringway
