#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/error.h"

namespace ringway {

/// `cd`: relative paths mean what the configuration says from here on, for those read now and for
/// those written later. Empty: stays. SHELL.
inline Result<void> enter_working_directory(const std::string& directory) {
  if (directory.empty() || ::chdir(directory.c_str()) == 0) return {};
  return fail(fmt::format("cannot enter the directory {}: {}", directory,
                          std::generic_category().message(errno)),
              "", "name another one in `cd`, or create it");
}

}  // namespace ringway
