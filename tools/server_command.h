#pragma once

#include <span>
#include <string>

namespace ringway {

/// `ringway server`: reads the configuration and runs the server until a signal ends it. Returns
/// the exit status: 0, or 1 after one message on standard error. Changes the working directory
/// where the configuration says `cd`.
int run_server_command(std::span<const std::string> words);

/// What `ringway server --help` says.
std::string server_command_help();

}  // namespace ringway
