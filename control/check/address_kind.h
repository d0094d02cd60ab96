#pragma once

#include <cstdint>

#include "base/address.h"

/// Who can reach an address. Pure.
namespace ringway {

enum class AddressKind : std::uint8_t {
  Public,     ///< global unicast, as far as an address tells
  Shared,     ///< behind a provider's NAT: 100.64.0.0/10 (RFC 6598), 192.0.0.0/29 (RFC 7335)
  Private,    ///< RFC 1918, fc00::/7 (RFC 4193)
  LinkLocal,  ///< 169.254.0.0/16, fe80::/10
  Loopback,
};

AddressKind kind_of(const IpAddress& address);
inline bool is_loopback_address(const IpAddress& address) {
  return kind_of(address) == AddressKind::Loopback;
}
/// Whether the networks have an address in common.
bool overlap(const Prefix& a, const Prefix& b);

}  // namespace ringway
