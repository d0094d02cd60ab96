#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ringway {

/// RFC 4648 section 4, with padding, on one line. Pure.
std::string encode_base64(Bytes bytes);
/// White space is skipped. Nothing when there is anything else that is not base64.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace ringway
