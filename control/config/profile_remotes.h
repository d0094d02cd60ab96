#pragma once

#include <vector>

#include "base/error.h"
#include "control/config/client_config.h"
#include "control/config/config_draft.h"

namespace ringway {

/// The servers of a profile whose lines have all been read, each with what its <connection> block
/// says, and the profile for all servers. The error names the line. Pure.
Result<std::vector<RemoteConfig>> derive_remotes(const ConfigDraft& draft);

}  // namespace ringway
