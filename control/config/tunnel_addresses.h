#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "control/config/config.h"

/// Which addresses of the tunnel's networks are whose. Pure.
namespace ringway {

/// The server's own: of `ifconfig`, or the first of the network.
std::optional<IpAddress> own_address_v4(const TunnelConfig& tunnel);
std::optional<IpAddress> own_address_v6(const TunnelConfig& tunnel);

/// What clients are given as they come: of `ifconfig-pool`, or, with `server`, all from the second
/// address on but the broadcast address. Nothing without a pool, or when none is left.
std::optional<AddressRange> client_range_v4(const TunnelConfig& tunnel);
/// Of `ifconfig-ipv6-pool`, or, with `server-ipv6`, from ::1000 on, and in networks smaller than
/// /112 from ::2 on.
std::optional<AddressRange> client_range_v6(const TunnelConfig& tunnel);

/// The last address of a network: of IPv4 its broadcast address.
IpAddress last_address(const Prefix& network);
/// How many addresses; 2^64 - 1 stands for that and for more. Both ends are of one family.
std::uint64_t size_of(const AddressRange& range);

/// How many clients the pool has addresses for; nothing without a pool. Where both families have
/// one, a client takes an address of each.
std::optional<std::uint64_t> pool_size(const TunnelConfig& tunnel);

}  // namespace ringway
