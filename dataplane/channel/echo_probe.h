#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway {

/// The inner addresses of a session's two ends, of one family. Unspecified: nothing is known of
/// them.
struct TunnelEnds {
  IpAddress ours;
  IpAddress theirs;

  [[nodiscard]] bool are_known() const { return !ours.is_unspecified(); }
};

// Probes for peers that know nothing of OpenVPN's MTU_REQUEST (OpenVPN 3, and all whose data
// channel is in the kernel): an echo request from our tunnel address to theirs (RFC 792, RFC 4443
// 4), which the peer's host answers with a packet of the same size. It carries OpenVPN's OCC magic,
// by which the answer is known from what the host's own `ping` gets. Pure.

/// What is around the magic: headers of the larger family, and ICMP's.
inline constexpr std::size_t kEchoProbeSizeMin = 40 + 8 + 16;

/// Makes all of `out` (kEchoProbeSizeMin bytes at least) an echo request.
void write_echo_request(MutableBytes out, const TunnelEnds& ends, std::uint16_t sequence);
/// Whether the packet is the answer to that request.
bool is_echo_reply(Bytes packet, const TunnelEnds& ends, std::uint16_t sequence);

}  // namespace ringway
