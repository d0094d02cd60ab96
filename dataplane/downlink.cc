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

Verdict Downlink::handle_packet(Bytes packet, MutableBytes out, Instant now) {
  const std::expected<IpPacket, Drop> ip = parse_ip_packet(packet);
  if (!ip) return Verdict::dropped(ip.error());
  const IpAddress destination = ip->destination();
  // Broadcast and multicast are for nobody in particular, even where a client has 0.0.0.0/0.
  if (is_martian(destination)) return Verdict::dropped(Drop::NoRoute);
  const PeerId peer = routes_.find(destination);
  if (!peer.is_set()) return Verdict::dropped(Drop::NoRoute);
  if (!sessions_.owns(peer)) return Verdict::to_worker(sessions_.owner(peer));

  if (ip->total_length() > settings_.tun_mtu) return Verdict::dropped(Drop::TooBig);
  Session* const session = sessions_.find(peer);
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

}  // namespace ringway
