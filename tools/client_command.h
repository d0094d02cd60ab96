#pragma once

#include <span>
#include <string>

namespace ringway {

/// `ringway client`: reads the profile and runs the client until a signal ends it. Returns the exit
/// status: 0, or 1 after one message on standard error. Changes the working directory where the
/// profile says `cd`.
int run_client_command(std::span<const std::string> words);

/// What `ringway client --help` says.
std::string client_command_help();

}  // namespace ringway
