#include "control/config/tunnel_addresses.h"

#include <algorithm>
#include <array>
#include <limits>

namespace ringway {
namespace {

/// Where OpenVPN starts the IPv6 pool, in networks that have room below it.
constexpr std::uint64_t kV6Offset = 0x1000;
constexpr std::uint8_t kSmallV6Length = 112;
/// Below it a network has no host besides the server.
constexpr std::uint8_t kV4LengthMax = 30;

std::optional<IpAddress> own_of(const std::optional<IpAddress>& given,
                                const std::optional<Prefix>& network) {
  if (given) return given;
  if (network) return network->address.plus(1);
  return std::nullopt;
}

std::optional<AddressRange> if_any(const AddressRange& range) {
  if (range.last < range.first) return std::nullopt;
  return range;
}

}  // namespace

std::optional<IpAddress> own_address_v4(const TunnelConfig& tunnel) {
  return own_of(tunnel.address_v4, tunnel.network_v4);
}

std::optional<IpAddress> own_address_v6(const TunnelConfig& tunnel) {
  return own_of(tunnel.address_v6, tunnel.network_v6);
}

std::optional<AddressRange> client_range_v4(const TunnelConfig& tunnel) {
  if (!tunnel.pool_v4 || !tunnel.network_v4) return std::nullopt;
  if (tunnel.range_v4) return tunnel.range_v4;
  const Prefix& network = *tunnel.network_v4;
  if (network.length > kV4LengthMax) return std::nullopt;
  const IpAddress broadcast = last_address(network);
  return if_any(
      {.first = network.address.plus(2), .last = IpAddress::v4(broadcast.v4_value() - 1)});
}

std::optional<AddressRange> client_range_v6(const TunnelConfig& tunnel) {
  if (!tunnel.pool_v6 || !tunnel.network_v6) return std::nullopt;
  if (tunnel.range_v6) return tunnel.range_v6;
  const Prefix& network = *tunnel.network_v6;
  const std::uint64_t offset = network.length < kSmallV6Length ? kV6Offset : 2;
  return if_any({.first = network.address.plus(offset), .last = last_address(network)});
}

IpAddress last_address(const Prefix& network) {
  std::array<std::uint8_t, 16> bytes = network.address.bytes();
  const int length = network.length + (network.address.is_v4() ? 96 : 0);
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(length - i * 8, 0, 8);
    bytes[static_cast<std::size_t>(i)] |= static_cast<std::uint8_t>(0xff >> kept);
  }
  return IpAddress::v6(bytes);
}

std::uint64_t size_of(const AddressRange& range) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const auto half = [](const IpAddress& address, std::size_t at) {
    return load_be64(address.bytes().data() + at);
  };
  if (range.last < range.first) return 0;
  if (half(range.first, 0) != half(range.last, 0)) return kMost;
  const std::uint64_t distance = half(range.last, 8) - half(range.first, 8);
  return distance == kMost ? kMost : distance + 1;
}

std::optional<std::uint64_t> pool_size(const TunnelConfig& tunnel) {
  std::optional<std::uint64_t> size;
  for (const auto& range : {client_range_v4(tunnel), client_range_v6(tunnel)}) {
    if (!range) continue;
    size = std::min(size.value_or(std::numeric_limits<std::uint64_t>::max()), size_of(*range));
  }
  return size;
}

}  // namespace ringway
