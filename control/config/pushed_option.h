#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "control/config/config_lexer.h"

namespace ringway {

/// Whether what a `push` line names may be pushed. The error says what to write instead. Pure.
Result<void> check_pushed_option(const ConfigLine& line, const std::string& option);

/// `comp-lzo`, or a `compress` that changes the format of packets: is left out, since clients whose
/// profiles have compression are pushed `compress stub-v2` anyway.
bool is_compression(std::string_view option);

}  // namespace ringway
