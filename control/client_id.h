#pragma once

#include <compare>
#include <cstdint>

namespace ringway {

/// Counts the control channels that a server has made; never used twice, so a stale one finds
/// nothing. (OpenVPN's status file calls it "Client ID".)
struct ClientId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const ClientId&, const ClientId&) = default;
};

}  // namespace ringway
