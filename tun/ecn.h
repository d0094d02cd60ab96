#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tun/ip_packet.h"

/// Explicit Congestion Notification of packets in tunnels (RFC 6040). Pure.
namespace ringway {

/// The codepoints, as they stand in the two low bits of the traffic class (RFC 3168 5).
namespace ecn {
inline constexpr std::uint8_t kNotCapable = 0;
inline constexpr std::uint8_t kCapable1 = 1;  ///< ECT(1)
inline constexpr std::uint8_t kCapable0 = 2;  ///< ECT(0)
inline constexpr std::uint8_t kCongestion = 3;
/// The two bits in a traffic class.
inline constexpr std::uint8_t kMask = 3;
}  // namespace ecn

struct EcnMarks {
  std::uint8_t inner = ecn::kNotCapable;
  std::uint8_t outer = ecn::kNotCapable;
};
/// What leaves the tunnel: RFC 6040 4.2, figure 4. Nothing where the packet has to be dropped: a
/// router has asked for less, in the only way in which its sender would hear it.
[[nodiscard]] std::optional<std::uint8_t> combined_ecn(const EcnMarks& marks);

/// Writes the two bits, and updates IPv4's checksum. `ip` is what parse_ip_packet() said of
/// `packet`, the same memory; it follows.
void set_ecn(MutableBytes packet, IpPacket& ip, std::uint8_t mark);

/// Both of it, for a packet that came in a datagram marked `outer`. False: drop it.
[[nodiscard]] inline bool take_outer_ecn(MutableBytes packet, IpPacket& ip, std::uint8_t outer) {
  if (outer == ecn::kNotCapable) return true;
  const std::optional<std::uint8_t> mark = combined_ecn({.inner = ip.ecn(), .outer = outer});
  if (!mark) return false;
  if (*mark != ip.ecn()) set_ecn(packet, ip, *mark);
  return true;
}

}  // namespace ringway
