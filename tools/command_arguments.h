#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace ringway {

/// What stands behind `ringway server` or `ringway client`: a configuration's name, and options in
/// OpenVPN's spelling.
struct CommandArguments {
  std::string config_path;
  /// For the parser: one option each, in the configuration's language.
  std::vector<std::string> options;
  bool print_config = false;
};

/// The exit status that goes with how a command ended; an error is one line on standard error.
int exit_status_of(const Result<void>& ended);

/// Accepts `CONFIG --option parameter ...` and OpenVPN's `--config CONFIG --option ...`. `usage` is
/// the command and what it takes, for errors: "ringway server CONFIG". Pure.
Result<CommandArguments> parse_command_arguments(std::span<const std::string> words,
                                                 std::string_view usage);

}  // namespace ringway
