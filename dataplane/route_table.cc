#include "dataplane/route_table.h"

#include <algorithm>

namespace ringway {
namespace {

constexpr std::uint8_t kV4Offset = 96;

std::uint8_t bits_of(const Prefix& prefix) {
  return static_cast<std::uint8_t>(prefix.address.is_v4() ? prefix.length + kV4Offset
                                                          : prefix.length);
}

IpAddress first_bits(const IpAddress& address, std::uint8_t bits) {
  if (bits >= 128) return address;
  std::array<std::uint8_t, 16> bytes = address.bytes();
  const std::size_t whole = bits / 8;
  bytes[whole] &= static_cast<std::uint8_t>(0xff00 >> bits % 8);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(whole) + 1, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

}  // namespace

RouteTable::RouteTable(const DatapathSettings& settings)
    : routes_max_(kRoutesPerSession * settings.sessions_max),
      pool_v4_(settings.pool_v4),
      pool_v6_(settings.pool_v6),
      routes_(NetworkHash{settings.address_hash}, std::size_t{2} * settings.sessions_max) {
  // A command may still allocate, but these two never need to.
  v4_lengths_.in_use.reserve(kHostBits + 1);
  v6_lengths_.in_use.reserve(kHostBits + 1);
}

bool RouteTable::add(const Prefix& prefix, PeerId peer) {
  const std::optional<Network> network = network_of(prefix);
  if (!network) return false;
  const bool is_new = routes_.find(*network) == nullptr;
  if (is_new && routes_.size() >= routes_max_) return false;

  ++generation_;
  routes_.insert_or_assign(*network, peer);
  if (is_new) lengths_of(*network).add(network->bits);
  return true;
}

void RouteTable::remove(const Prefix& prefix, PeerId peer) {
  const std::optional<Network> network = network_of(prefix);
  if (!network) return;
  const PeerId* const owner = routes_.find(*network);
  if (owner == nullptr || *owner != peer) return;

  ++generation_;
  routes_.erase(*network);
  lengths_of(*network).remove(network->bits);
}

PeerId RouteTable::find(const IpAddress& address) const {
  const Lengths& lengths = address.is_v4() ? v4_lengths_ : v6_lengths_;
  const std::uint8_t shortest = shortest_for(address);
  for (const std::uint8_t bits : lengths.in_use) {
    if (bits < shortest) break;
    const PeerId* const peer = routes_.find({first_bits(address, bits), bits});
    if (peer != nullptr) return *peer;
  }
  return {};
}

std::uint8_t RouteTable::shortest_for(const IpAddress& address) const {
  if (pool_v4_ && pool_v4_->contains(address)) return bits_of(*pool_v4_);
  if (pool_v6_ && pool_v6_->contains(address)) return bits_of(*pool_v6_);
  return 0;
}

std::optional<RouteTable::Network> RouteTable::network_of(const Prefix& prefix) {
  if (prefix.length > (prefix.address.is_v4() ? 32 : 128)) return std::nullopt;
  const std::uint8_t bits = bits_of(prefix);
  return Network{first_bits(prefix.address, bits), bits};
}

std::uint64_t RouteTable::NetworkHash::operator()(const Network& network) const {
  // The address hash is keyed; the odd factor keeps networks of one address apart.
  return address_hash(network.address) + network.bits * std::uint64_t{0x9e3779b97f4a7c15};
}

void RouteTable::Lengths::add(std::uint8_t bits) {
  if (counts[bits]++ > 0) return;
  in_use.insert(std::ranges::lower_bound(in_use, bits, std::ranges::greater{}), bits);
}

void RouteTable::Lengths::remove(std::uint8_t bits) {
  if (--counts[bits] > 0) return;
  std::erase(in_use, bits);
}

}  // namespace ringway
