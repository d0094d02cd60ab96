#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.h"

namespace ringway {

/// The 64-bit identifier that each end of a control channel draws for a session. Never all zero on
/// the wire. Pure value.
struct SessionId {
  static constexpr std::size_t kSize = 8;
  std::array<std::uint8_t, kSize> bytes{};

  [[nodiscard]] bool is_zero() const {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
  }
  friend constexpr auto operator<=>(const SessionId&, const SessionId&) = default;
};

}  // namespace ringway
