#pragma once

#include "base/error.h"
#include "control/config/config_draft.h"

namespace ringway {

/// Refuses what does not fit together or is missing, and adds a note about what fits but surprises.
/// Comes after derive_config(). Pure.
Result<void> check_config(ConfigDraft& draft);

}  // namespace ringway
