#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "control/config/client_config.h"
#include "control/probe_report.h"

namespace ringway {

/// Logs in at each of `servers`, one after the other, and finds out by padded packets inside the
/// tunnel how large a packet gets through (PathMtu); then says goodbye. The files that `config`
/// names have been loaded. An error is a certificate or a key that cannot be used.
///
/// No device is made, and no packet of anybody travels. But a login is one: where a name may be
/// logged in once (no `duplicate-cn`), the server ends the session that is there.
///
/// SHELL: waits for the network, some seconds for each address; one thread.
Result<std::vector<ProbePath>> measure_paths(const ClientConfig& config,
                                             std::span<const Endpoint> servers);

}  // namespace ringway
