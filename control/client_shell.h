#pragma once

#include "base/error.h"
#include "control/config/client_config.h"

namespace ringway {

/// The whole client: connects, carries packets and connects again, on the calling thread, until a
/// signal ends it (then there is no error) or the server does not want it. The files that `config`
/// names have been loaded; the text of its keys is wiped once they are in use. Nothing is left
/// behind: the device goes, and its addresses and routes with it.
///
/// SIGTERM and SIGINT say goodbye to the server and end, a second one at once; SIGUSR1 connects
/// anew; SIGHUP opens the log again and connects anew; SIGUSR2 logs what was counted.
Result<void> run_client(ClientConfig config);

}  // namespace ringway
