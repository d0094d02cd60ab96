#pragma once

#include <cstdint>

#include "base/time.h"
#include "dataplane/channel/echo_probe.h"
#include "dataplane/channel/mss_fix.h"

namespace ringway {

/// How a session knows what one outer packet carries to its peer.
enum class PathKind : std::uint8_t {
  Ethernet,  ///< taken for the width of nearly every path
  Searched,  ///< found out, and watched (PathMtu)
  Stream,    ///< TCP: packets of every size get through
};

/// What the data plane has to know of a peer besides its keys. Pure value.
struct SessionSettings {
  /// Send a ping when nothing was sent for so long; 0 = never.
  Duration ping_interval{0};
  /// Report the peer idle when nothing authentic came for so long; 0 = never.
  Duration ping_restart{0};
  /// What becomes of the MSS of TCP SYNs in the tunnel.
  MssFix mssfix = MssFix::off();
  /// The largest inner packet that either end has a use for.
  std::uint16_t tun_mtu = 1500;
  PathKind path = PathKind::Ethernet;
  /// For probes of a path to a peer that answers none of OpenVPN's own.
  TunnelEnds ends;
  /// Which bits of an inner packet's traffic class its datagrams carry: ECN for a peer that brings
  /// the marks of routers back into the packet (RFC 6040), DSCP with `passtos`.
  std::uint8_t outer_class_mask = 0;
  /// The client sends and understands DATA_V2 (IV_PROTO bit 1).
  bool data_v2 = true;
  /// Its packets, and ours to it, have the epoch format, as have all of its keys (IV_PROTO bit 10).
  bool in_epochs = false;
  /// Keys are reported as worn after so many packets, both ways together; 0 = never.
  std::uint64_t renegotiate_packets = 0;
};

}  // namespace ringway
