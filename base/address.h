#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace ringway {

/// An IPv4 or IPv6 address. IPv4 is kept in its v4-mapped form (::ffff:a.b.c.d, RFC 4291 2.5.5.2),
/// which is what a dual-stack socket speaks, so that one table serves both. Pure value.
class IpAddress {
 public:
  /// The unspecified IPv6 address, `::`.
  constexpr IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v4(Bytes four_bytes);
  static IpAddress v6(Bytes sixteen_bytes);
  /// Text without port or prefix length; a v4-mapped text gives an IPv4 address.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_unspecified() const;
  /// Host order; only for is_v4().
  [[nodiscard]] std::uint32_t v4_value() const { return load_be32(bytes_.data() + 12); }
  /// All 16 bytes, v4-mapped for IPv4.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  /// The 4 or 16 bytes that stand in a packet.
  [[nodiscard]] Bytes wire() const { return is_v4() ? Bytes(bytes_).subspan(12) : Bytes(bytes_); }
  /// This address with `offset` added to its low 64 (IPv6) or 32 (IPv4) bits.
  [[nodiscard]] IpAddress plus(std::uint64_t offset) const;
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// A network: an address whose host bits are zero, and the length of its prefix. Pure value.
struct Prefix {
  IpAddress address;
  /// 0..32 for IPv4, 0..128 for IPv6.
  std::uint8_t length = 0;

  /// "net/bits" of either family; host bits must be zero unless `mask_host_bits`.
  static std::optional<Prefix> parse(std::string_view text, bool mask_host_bits = false);
  /// OpenVPN's "net mask" form.
  static std::optional<Prefix> parse_v4(std::string_view network, std::string_view netmask);
  static Prefix host(const IpAddress& address);

  [[nodiscard]] bool contains(const IpAddress& candidate) const;
  [[nodiscard]] bool contains(const Prefix& candidate) const;
  /// Host order netmask; only for IPv4.
  [[nodiscard]] std::uint32_t v4_netmask() const;
  [[nodiscard]] std::string netmask_text() const;
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};

/// An address and a UDP or TCP port. `scope_id` is 0 but for IPv6 link-local. Pure value.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t scope_id = 0;

  /// "192.0.2.1:1194" or "[2001:db8::1]:1194".
  [[nodiscard]] std::string to_string() const;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// Both ends of what a client and the server exchange outside the tunnel. The local address is part
/// of it because a reply must leave from the address that the client addressed. Pure value.
struct LinkEndpoint {
  Endpoint remote;
  IpAddress local;
  /// Which of the server's listening sockets; 0 is the first. Those of TCP come after those of UDP.
  std::uint8_t listener = 0;
  /// Set when it is a TCP connection, which `remote` alone does not tell from an earlier one.
  ConnectionId connection;

  [[nodiscard]] constexpr bool is_tcp() const { return connection.is_set(); }

  friend constexpr auto operator<=>(const LinkEndpoint&, const LinkEndpoint&) = default;
};

/// Keyed, so that peers cannot choose addresses that collide (security goal A23). FNV is no keyed
/// hash: this is SipHash-2-4 (libsodium's crypto_shorthash) over the value's bytes.
struct AddressHash {
  std::array<std::uint8_t, 16> key{};
  [[nodiscard]] std::uint64_t operator()(const IpAddress& address) const;
  [[nodiscard]] std::uint64_t operator()(const Endpoint& endpoint) const;
};

}  // namespace ringway
