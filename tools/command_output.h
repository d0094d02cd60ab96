#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace ringway {

/// What a command writes to its standard output; its standard error is dropped. The command is
/// looked for where the administrator's are, and started without a shell. It is killed when
/// `patience` is over. Errors: it is not installed, it fails, it does not end. SHELL; waits.
Result<std::string> output_of(std::vector<std::string> words, Duration patience);

}  // namespace ringway
