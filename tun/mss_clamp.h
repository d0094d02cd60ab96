#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "tun/ip_packet.h"

namespace ringway {

/// The largest MSS that a TCP SYN may carry, by the inner family; 0 leaves the family alone.
struct MssLimits {
  std::uint16_t v4 = 0;
  std::uint16_t v6 = 0;
};

/// OpenVPN's `mssfix`: lowers the MSS option of a TCP SYN or SYN-ACK
/// to the limit of its family when it is larger, and updates the TCP checksum (RFC 1624), which has
/// to be complete: not one that the next stage is still to finish. Returns true when the packet was
/// changed.
///
/// Left alone: fragments, IPv6 packets in which TCP does not directly follow the fixed header, and
/// option lists that are malformed anywhere. Pure.
///
/// `ip` is what parse_ip_packet() said of `packet`, the same memory.
bool clamp_mss(MutableBytes packet, const IpPacket& ip, const MssLimits& limits);

}  // namespace ringway
