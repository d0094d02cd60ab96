#pragma once

#include "base/error.h"

namespace ringway::loadgen {

/// SHELL: what the generator's probes are sent to, behind the server: answers each on the UDP port
/// of Probe, over IPv4 and IPv6, with its time and what it has counted of that client. Runs until
/// SIGTERM; returns only when it cannot listen.
Result<void> run_echo();

}  // namespace ringway::loadgen
