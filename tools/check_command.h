#pragma once

#include <span>
#include <string>

namespace ringway {

/// `ringway check`: says what a configuration or a profile will do, here, and what is wrong with
/// it. The exit status is that of exit_status_of(CheckReport); 3 when nothing could be checked.
/// SHELL.
int run_check_command(std::span<const std::string> words);
std::string check_command_help();

}  // namespace ringway
