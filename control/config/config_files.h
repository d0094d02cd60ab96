#pragma once

#include <string>

#include "base/error.h"

namespace ringway {

/// The FileReader of the tools: a whole file, a pipe or a device, up to kConfigFileSizeMax bytes.
/// Symbolic links are followed. Does I/O.
Result<std::string> read_text_file(const std::string& path);

}  // namespace ringway
