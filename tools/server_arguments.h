#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace ringway {

/// What stands behind `ringway server`: a configuration's name, and options in OpenVPN's spelling.
struct ServerArguments {
  std::string config_path;
  /// For parse_server_config(): one option each, in the configuration's language.
  std::vector<std::string> options;
  bool print_config = false;
};

/// Accepts `CONFIG --option parameter ...` and OpenVPN's `--config CONFIG --option ...`. Pure.
Result<ServerArguments> parse_server_arguments(std::span<const std::string> words);

}  // namespace ringway
