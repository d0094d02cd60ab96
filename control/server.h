#pragma once

#include "base/error.h"
#include "control/config/config.h"
#include "control/config/push_reload.h"

namespace ringway {

/// The whole server: builds it, runs it on the calling thread and on one thread a worker, and
/// returns when a signal has ended it. The files that `config` names have been loaded; the text of
/// its keys is wiped once they are in use. `reload` reads the configuration again at SIGHUP. On an
/// error nothing is left behind that this process had made, and the error is the one line to show.
Result<void> run_server(ServerConfig config, const PushReload& reload);

}  // namespace ringway
