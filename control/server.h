#pragma once

#include "base/error.h"
#include "control/config/config.h"

namespace ringway {

/// The whole server: builds it, runs it on the calling thread and on one thread a worker, and
/// returns when a signal has ended it. The files that `config` names have been loaded. On an error
/// nothing is left behind that this process had made, and the error is the one line to show.
Result<void> run_server(const ServerConfig& config);

}  // namespace ringway
