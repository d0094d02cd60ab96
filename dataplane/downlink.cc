#include "dataplane/downlink.h"

#include <algorithm>

#include "dataplane/martian.h"
#include "tun/mss_clamp.h"

namespace ringway {
namespace {

/// A TCP SYN, which the peer's MSS limits may concern: the one kind of packet that is changed.
bool is_syn_to_clamp(const IpPacket& ip, const MssLimits& limits) {
  if (ip.protocol != ip_protocol::kTcp || (ip.is_v4() ? limits.v4 : limits.v6) == 0) return false;
  const std::optional<TcpHeader> tcp = ip.tcp();
  return tcp && (tcp->flags & tcp_flag::kSyn) != 0;
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

Verdict Downlink::handle_packet(Bytes packet, MutableBytes out, Instant now) {
  const std::expected<IpPacket, Drop> ip = parse_ip_packet(packet);
  if (!ip) return Verdict::dropped(ip.error());
  const std::expected<PeerId, Drop> peer = find_peer(*ip);
  if (!peer) return Verdict::dropped(peer.error());
  if (!sessions_.owns(*peer)) return Verdict::to_worker(sessions_.owner(*peer));

  if (ip->total_length() > settings_.tun_mtu) return Verdict::dropped(Drop::TooBig);
  Session* const session = sessions_.find(*peer);
  if (session == nullptr) return Verdict::dropped(Drop::NoRoute);
  const std::size_t overhead = session->seal_overhead();
  if (out.size() < overhead + ip->total_length()) return Verdict::dropped(Drop::TooBig);

  Bytes payload = ip->bytes;
  const MssLimits limits{session->settings().mss_limit_v4, session->settings().mss_limit_v6};
  if (is_syn_to_clamp(*ip, limits)) {
    // The packet is not ours to change, so the copy is: it is sealed where it lies.
    const MutableBytes copy = out.subspan(overhead, payload.size());
    std::ranges::copy(payload, copy.begin());
    clamp_mss(copy, limits);
    payload = copy;
  }
  const std::expected<MutableBytes, Drop> datagram = session->seal(payload, out, now);
  if (!datagram) return Verdict::dropped(datagram.error());
  return Verdict::to_link(*datagram, session->endpoint());
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
  const Session* const session = sessions_.find(peer);
  if (session == nullptr) return std::unexpected(Drop::NoRoute);
  return PeerTarget{.endpoint = session->endpoint(), .seal_overhead = session->seal_overhead()};
}

/// A segment is sealed from where the TUN read it into the send buffer: besides its headers nothing
/// is copied.
std::expected<MutableBytes, Drop> Downlink::seal_next(RoutedFrame& frame, MutableBytes packet,
                                                      MutableBytes out, Instant now) {
  Session* const session = sessions_.find(frame.peer);
  if (session == nullptr) return std::unexpected(Drop::NoRoute);
  Segmenter& segmenter = frame.segmenter;
  const std::size_t overhead = session->seal_overhead();
  if (out.size() < overhead + segmenter.next_size()) return std::unexpected(Drop::TooBig);

  const MutableBytes segment = segmenter.can_cut_in_place()
                                   ? segmenter.next_in_place(packet)
                                   : segmenter.write_next(out.subspan(overhead));
  const MssLimits limits{session->settings().mss_limit_v4, session->settings().mss_limit_v6};
  if (!segmenter.is_gso() && is_syn_to_clamp(segmenter.ip(), limits)) {
    clamp_mss(segment, segmenter.ip(), limits);
  }
  return session->seal(segment, out, now);
}

}  // namespace ringway
