#include "dataplane/downlink.h"

#include <algorithm>

#include "base/check.h"
#include "dataplane/martian.h"
#include "tun/mss_clamp.h"

namespace ringway {
namespace {

/// A TCP SYN is the one kind of packet that is changed.
void clamp_syn(MutableBytes packet, const IpPacket& ip, const InnerMss& mss) {
  clamp_mss(packet, ip, {.v4 = mss.v4, .v6 = mss.v6});
}

}  // namespace

/// Broadcast and multicast are for nobody in particular, even where a client has 0.0.0.0/0.
std::expected<PeerId, Drop> Downlink::find_peer(const IpPacket& ip) const {
  const IpAddress destination = ip.destination();
  if (is_martian(destination)) return std::unexpected(Drop::NoRoute);
  const PeerId peer = routes_.find(destination);
  if (!peer.is_set()) return std::unexpected(Drop::NoRoute);
  return peer;
}

std::expected<RoutedFrame, Drop> Downlink::route_frame(const VnetHeader& header,
                                                       Bytes packet) const {
  const std::expected<IpPacket, Drop> ip = parse_ip_packet(packet);
  if (!ip) return std::unexpected(ip.error());
  const std::expected<PeerId, Drop> peer = find_peer(*ip);
  if (!peer) return std::unexpected(peer.error());
  std::expected<Segmenter, Drop> segmenter = Segmenter::start(header, *ip);
  if (!segmenter) return std::unexpected(segmenter.error());
  return RoutedFrame{.owner = sessions_.owner(*peer), .peer = *peer, .segmenter = *segmenter};
}

std::expected<PeerTarget, Drop> Downlink::target_of(PeerId peer) const {
  Session* const session = sessions_.find(peer);
  if (session == nullptr) return std::unexpected(Drop::NoRoute);
  return PeerTarget{.session = session,
                    .packet_max = std::min<std::size_t>(
                        {session->packet_max(), session->settings().tun_mtu, settings_.tun_mtu})};
}

/// A segment is sealed from where the TUN read it into the send buffer: besides its headers nothing
/// is copied.
std::expected<MutableBytes, Drop> Downlink::seal_next(RoutedFrame& frame, const PeerTarget& target,
                                                      MutableBytes packet, MutableBytes out,
                                                      Instant now) {
  Session& session = *target.session;
  Segmenter& segmenter = frame.segmenter;
  RW_ASSERT(out.size() >= session.seal_overhead() + segmenter.next_size());
  const MutableBytes segment = segmenter.can_cut_in_place()
                                   ? segmenter.next_in_place(packet)
                                   : segmenter.write_next(out.subspan(session.payload_offset()));
  session.count_packet(segment.size());
  if (!segmenter.is_gso()) clamp_syn(segment, segmenter.ip(), session.mss());
  return session.seal(segment, out, now);
}

}  // namespace ringway
