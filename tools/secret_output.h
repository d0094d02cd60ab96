#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace ringway {

/// Writes what is secret to a new file of mode 0600, or to standard output when `path` is empty or
/// "-". A file that exists is never overwritten: a key that is lost locks out whoever has its other
/// half.
Result<void> write_secret_output(const std::string& path, std::string_view text);

}  // namespace ringway
