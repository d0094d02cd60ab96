#include "base/address.h"

#include <arpa/inet.h>
#include <sodium.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace ringway {
namespace {

constexpr std::array<std::uint8_t, 12> kV4Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<std::uint8_t> parse_length(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

/// Prefix length counted in the 128 bits of the v4-mapped form.
unsigned mapped_length(const Prefix& prefix) {
  return prefix.address.is_v4() ? 96u + prefix.length : prefix.length;
}

/// In two words: it is asked for packets.
bool same_leading_bits(Bytes a, Bytes b, unsigned bits) {
  const std::uint64_t upper = load_be64(a.data()) ^ load_be64(b.data());
  if (bits < 64) return bits == 0 || upper >> (64 - bits) == 0;
  const std::uint64_t lower = load_be64(a.data() + 8) ^ load_be64(b.data() + 8);
  return upper == 0 && (bits == 64 || lower >> (128 - bits) == 0);
}

IpAddress with_host_bits_cleared(const IpAddress& address, unsigned bits) {
  std::array<std::uint8_t, 16> bytes = address.bytes();
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = std::clamp(static_cast<int>(bits) - static_cast<int>(i * 8), 0, 8);
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00 >> kept));
  }
  return IpAddress::v6(bytes);
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  std::uint8_t raw[4];
  store_be32(raw, host_order);
  return v4(Bytes(raw));
}

IpAddress IpAddress::v4(Bytes four_bytes) {
  RW_ASSERT(four_bytes.size() == 4);
  IpAddress address;
  std::ranges::copy(kV4Mapped, address.bytes_.begin());
  std::ranges::copy(four_bytes, address.bytes_.begin() + 12);
  return address;
}

IpAddress IpAddress::v6(Bytes sixteen_bytes) {
  RW_ASSERT(sixteen_bytes.size() == 16);
  IpAddress address;
  std::ranges::copy(sixteen_bytes, address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  std::array<std::uint8_t, 16> raw{};
  if (inet_pton(AF_INET, terminated.c_str(), raw.data()) == 1) return v4(Bytes(raw).first(4));
  if (inet_pton(AF_INET6, terminated.c_str(), raw.data()) == 1) return v6(raw);
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::memcmp(bytes_.data(), kV4Mapped.data(), kV4Mapped.size()) == 0;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(wire(), [](std::uint8_t byte) { return byte == 0; });
}

IpAddress IpAddress::plus(std::uint64_t offset) const {
  IpAddress sum = *this;
  if (is_v4()) {
    store_be32(sum.bytes_.data() + 12, v4_value() + static_cast<std::uint32_t>(offset));
  } else {
    store_be64(sum.bytes_.data() + 8, load_be64(bytes_.data() + 8) + offset);
  }
  return sum;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  const Bytes raw = wire();
  inet_ntop(raw.size() == 4 ? AF_INET : AF_INET6, raw.data(), text, sizeof text);
  return text;
}

std::optional<Prefix> Prefix::parse(std::string_view text, bool mask_host_bits) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto length = parse_length(text.substr(slash + 1), address->is_v4() ? 32 : 128);
  if (!length) return std::nullopt;
  const Prefix given{*address, *length};
  const IpAddress network = with_host_bits_cleared(*address, mapped_length(given));
  if (!mask_host_bits && network != *address) return std::nullopt;
  return Prefix{network, *length};
}

std::optional<Prefix> Prefix::parse_v4(std::string_view network, std::string_view netmask) {
  const auto address = IpAddress::parse(network);
  const auto mask = IpAddress::parse(netmask);
  if (!address || !mask || !address->is_v4() || !mask->is_v4()) return std::nullopt;
  const std::uint32_t bits = mask->v4_value();
  const auto length = static_cast<std::uint8_t>(std::popcount(bits));
  if (length < 32 && bits << length != 0) return std::nullopt;  // Not contiguous from the left.
  if (length == 0 && bits != 0) return std::nullopt;
  if ((address->v4_value() & ~bits) != 0) return std::nullopt;
  return Prefix{*address, length};
}

Prefix Prefix::host(const IpAddress& address) {
  return {address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 128)};
}

bool Prefix::contains(const IpAddress& candidate) const {
  if (candidate.is_v4() != address.is_v4()) return false;
  return same_leading_bits(address.bytes(), candidate.bytes(), mapped_length(*this));
}

bool Prefix::contains(const Prefix& candidate) const {
  return candidate.length >= length && contains(candidate.address);
}

std::uint32_t Prefix::v4_netmask() const {
  return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
}

std::string Prefix::netmask_text() const { return IpAddress::v4(v4_netmask()).to_string(); }

std::string Prefix::to_string() const { return address.to_string() + "/" + std::to_string(length); }

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::uint64_t AddressHash::operator()(const IpAddress& address) const {
  std::uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, address.bytes().data(), 16, key.data());
  return load_be64(out);
}

std::uint64_t AddressHash::operator()(const Endpoint& endpoint) const {
  std::array<std::uint8_t, 22> input;
  std::ranges::copy(endpoint.address.bytes(), input.begin());
  store_be16(input.data() + 16, endpoint.port);
  store_be32(input.data() + 18, endpoint.scope_id);
  std::uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, input.data(), input.size(), key.data());
  return load_be64(out);
}

}  // namespace ringway
