#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/channel/outer_size.h"

namespace ringway {

/// `mssfix`: how large the segments of TCP connections in the tunnel may be. Pure value.
struct MssFix {
  enum class Mode : std::uint8_t {
    Path,     ///< whatever travels to the peer in one outer packet; the default
    Payload,  ///< `mssfix N`: N bytes of UDP payload
    Mtu,      ///< `mssfix N mtu`: N bytes of outer packet
    Fixed,    ///< `mssfix N fixed`: N bytes of inner packet
  };
  /// Not for Mode::Path; 0: MSS options are left alone.
  std::uint16_t value = 0;
  Mode mode = Mode::Path;

  static constexpr MssFix off() { return {.value = 0, .mode = Mode::Fixed}; }
  friend constexpr bool operator==(const MssFix&, const MssFix&) = default;
};

/// What one outer packet carries to the peer.
struct PathRoom {
  /// The largest inner packet.
  std::size_t packet_max = 0;
  /// The path was searched, and no more than that travels.
  bool is_measured = false;
};

/// The largest MSS that a SYN may carry, by the family of the inner packet; 0 = left alone.
struct InnerMss {
  std::uint16_t v4 = 0;
  std::uint16_t v6 = 0;
};

/// A size that is written is exactly OpenVPN's, and gives way only to a path that was measured to
/// carry less. Pure.
InnerMss mss_limits(const MssFix& mssfix, const OuterFormat& outer, const PathRoom& path);

}  // namespace ringway
