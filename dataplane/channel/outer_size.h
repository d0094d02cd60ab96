#pragma once

#include <cstddef>

#include "dataplane/channel/data_packet.h"

namespace ringway {

/// What stands around an inner packet on the outside: IP, UDP or TCP, and the data channel's own
/// bytes. Pure value.
///
///     52 bytes over IPv4, 72 over IPv6; three less in DATA_V1, four more in the epoch format; 14
///     more over TCP, where a segment need not hold one packet, but had better
struct OuterFormat {
  /// By the family that is on the wire: a v4-mapped address is IPv4.
  bool is_v4 = true;
  bool data_v2 = true;
  bool is_tcp = false;
  /// Only of DATA_V2.
  bool in_epochs = false;

  [[nodiscard]] constexpr std::size_t data_channel_size() const {
    if (in_epochs) return kEpochOverhead;
    return data_overhead(data_v2 ? DataHeader::kSizeMax : 1);
  }
  [[nodiscard]] constexpr std::size_t size() const {
    constexpr std::size_t kUdp = 8;
    constexpr std::size_t kIpv4 = 20;
    constexpr std::size_t kIpv6 = 40;
    // The header without options, as OpenVPN counts it, and the length in front of each packet.
    constexpr std::size_t kTcp = 20 + 2;
    return (is_v4 ? kIpv4 : kIpv6) + (is_tcp ? kTcp : kUdp) + data_channel_size();
  }
  /// The largest inner packet that fits into an outer one of `outer_size`; 0 when there is none.
  [[nodiscard]] constexpr std::size_t inner_size_max(std::size_t outer_size) const {
    return outer_size > size() ? outer_size - size() : 0;
  }
};

}  // namespace ringway
