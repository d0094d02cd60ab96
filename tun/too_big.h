#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"
#include "tun/ip_packet.h"

/// What a router says of a packet that does not fit the next link: ICMP "fragmentation needed"
/// (type 3, code 4: RFC 792, RFC 1191 4) and ICMPv6 "packet too big" (type 2: RFC 4443 3.2). Pure.
namespace ringway {

/// Every IPv6 link takes so much, and no sender goes below it (RFC 8200 5, RFC 8201 4).
inline constexpr std::size_t kIpv6MtuMin = 1280;
/// The same of IPv4 (RFC 791 3.2, RFC 1191 3).
inline constexpr std::size_t kIpv4MtuMin = 68;
/// No answer is larger: ICMPv6 quotes as much as fits the smallest MTU (RFC 4443 2.4 c), ICMP 576
/// bytes (RFC 1812 4.3.2.3).
inline constexpr std::size_t kTooBigSizeMax = kIpv6MtuMin;

/// What packets of `ip`'s family may have over a path that takes inner packets of `path_limit`. For
/// IPv6 never less than 1,280: a host that is told less sends packets of 1,280 bytes all the same
/// (RFC 8201 4), so that the path has to carry them in two pieces (RFC 2473 7.1).
[[nodiscard]] inline std::size_t inner_limit(const IpPacket& ip, std::size_t path_limit) {
  const std::size_t least = ip.is_v4() ? kIpv4MtuMin : kIpv6MtuMin;
  return path_limit < least ? least : path_limit;
}

/// Whether anybody may be told about `ip` at all (RFC 1122 3.2.2, RFC 1812 4.3.2.7, RFC 4443 2.4
/// e): not about ICMP errors or what could be one, not about later fragments, not about what was
/// sent to many, and not where the source is no single host that could be answered.
[[nodiscard]] bool may_be_told_too_big(const IpPacket& ip);

struct TooBig {
  /// Whose answer it is; of the packet's family.
  IpAddress from;
  /// The largest packet that goes through: what inner_limit() says.
  std::size_t mtu = kIpv6MtuMin;
};
/// The answer to the packet's source, at the head of `out`, which has kTooBigSizeMax bytes. `about`
/// is the packet as its sender sent it, with complete checksums; only its head need be there.
MutableBytes write_too_big(MutableBytes out, const IpPacket& about, const TooBig& answer);

}  // namespace ringway
