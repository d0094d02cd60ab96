#pragma once

#include <expected>

#include "base/time.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/verdict.h"
#include "tun/ip_packet.h"
#include "tun/segmenter.h"
#include "tun/vnet_header.h"

namespace ringway {

/// A packet or super-packet of the TUN that has a peer. A value that borrows the packet.
struct RoutedFrame {
  /// Whose the peer is: this worker or another.
  WorkerId owner;
  PeerId peer;
  /// Cuts it, or finishes its checksum.
  Segmenter segmenter;
};

/// Where the datagrams of a peer go, and what sealing adds to each packet.
struct PeerTarget {
  LinkEndpoint endpoint;
  std::size_t seal_overhead = 0;
};

/// Tun to link: an inner packet becomes a sealed datagram for the peer that it is routed to.
/// Pure; used on one worker; never allocates.
class Downlink {
 public:
  /// All references outlive this.
  Downlink(const DatapathSettings& settings, const SessionTable& sessions, const RouteTable& routes)
      : settings_(settings), sessions_(sessions), routes_(routes) {}

  [[nodiscard]] Verdict handle_packet(Bytes packet, MutableBytes out, Instant now);

  [[nodiscard]] std::expected<RoutedFrame, Drop> route_frame(const VnetHeader& header,
                                                             Bytes packet) const;
  [[nodiscard]] std::expected<PeerTarget, Drop> target_of(PeerId peer) const;
  [[nodiscard]] std::expected<MutableBytes, Drop> seal_next(RoutedFrame& frame, MutableBytes packet,
                                                            MutableBytes out, Instant now);

 private:
  [[nodiscard]] std::expected<PeerId, Drop> find_peer(const IpPacket& ip) const;

  const DatapathSettings& settings_;
  const SessionTable& sessions_;
  const RouteTable& routes_;
};

}  // namespace ringway
