#pragma once

#include <string>

#include "base/error.h"

namespace ringway {

/// Asks on the terminal, without showing what is typed; standard input and output are left alone.
/// Error: there is no terminal, or nothing was typed. Secret: the caller wipes it.
Result<std::string> ask_passphrase(const std::string& question);

/// The first line of a file. Secret: the caller wipes it.
Result<std::string> read_passphrase(const std::string& path);

}  // namespace ringway
