#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/time.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
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

/// The peer of a frame, ready to seal for. Good until the next command is handled.
struct PeerTarget {
  Session* session = nullptr;
  /// The largest inner packet that may be sealed for it; but IPv6 up to 1,280 bytes always may.
  std::size_t packet_max = 0;

  [[nodiscard]] const LinkEndpoint& endpoint() const { return session->endpoint(); }
  /// The traffic class of the datagrams of such an inner packet.
  [[nodiscard]] std::uint8_t outer_class(const IpPacket& ip) const {
    return ip.traffic_class & session->settings().outer_class_mask;
  }
  /// What sealing adds to each packet.
  [[nodiscard]] std::size_t seal_overhead() const { return session->seal_overhead(); }
};

/// Tun to link: an inner packet becomes a sealed datagram for the peer that it is routed to.
/// Pure; used on one worker; never allocates.
class Downlink {
 public:
  /// All references outlive this.
  Downlink(const DatapathSettings& settings, const SessionTable& sessions, const RouteTable& routes)
      : settings_(settings), sessions_(sessions), routes_(routes) {}

  [[nodiscard]] std::expected<RoutedFrame, Drop> route_frame(const VnetHeader& header,
                                                             Bytes packet) const;
  [[nodiscard]] std::expected<PeerTarget, Drop> target_of(PeerId peer) const;
  [[nodiscard]] static std::expected<MutableBytes, Drop> seal_next(RoutedFrame& frame,
                                                                   const PeerTarget& target,
                                                                   MutableBytes packet,
                                                                   MutableBytes out, Instant now);

 private:
  [[nodiscard]] std::expected<PeerId, Drop> find_peer(const IpPacket& ip) const;

  const DatapathSettings& settings_;
  const SessionTable& sessions_;
  const RouteTable& routes_;
};

}  // namespace ringway
