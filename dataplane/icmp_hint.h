#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway {

/// What an ICMP message says of a UDP datagram that we have sent, or are said to have: that no more
/// than `mtu` bytes of it and its IP header would have got through. Pure value. Anybody can make
/// such a message up; see PathMtu::note_hint().
struct IcmpHint {
  Endpoint from;
  Endpoint to;
  std::uint16_t mtu = 0;
};

/// "Fragmentation needed" (RFC 792, RFC 1191 4), from the IPv4 header on, as a raw socket gives it.
/// A router that says no MTU gives the size of the datagram less one byte. Nothing for everything
/// else. Pure.
std::optional<IcmpHint> read_fragmentation_needed(Bytes packet);
/// "Packet too big" (RFC 4443 3.2), from the ICMPv6 header on. An IPv6 header that UDP does not
/// directly follow is nobody's of ours.
std::optional<IcmpHint> read_packet_too_big(Bytes message);

}  // namespace ringway
