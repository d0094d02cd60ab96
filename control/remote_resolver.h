#pragma once

#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "control/config/client_config.h"

namespace ringway {

/// The addresses of a `remote`, of the family that it asks for, in the order of the system's
/// resolver (RFC 6724); at least one. SHELL: may ask the network, and waits for it.
Result<std::vector<Endpoint>> resolve_remote(const RemoteConfig& remote);

}  // namespace ringway
