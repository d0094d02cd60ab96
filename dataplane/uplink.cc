#include "dataplane/uplink.h"

#include <algorithm>
#include <bit>

#include "dataplane/martian.h"
#include "tun/ecn.h"
#include "tun/mss_clamp.h"

namespace ringway {
namespace {

/// Opcode, session id and the number of acknowledgements: no control packet of any kind is shorter.
constexpr std::size_t kControlPacketMin = 10;

/// What a client may send to a server. HARD_RESET_SERVER_V2 is a server's own, and the opcodes of
/// key method 1 are dead.
bool is_control_for_server(Opcode opcode) {
  switch (opcode) {
    case Opcode::SoftResetV1:
    case Opcode::ControlV1:
    case Opcode::AckV1:
    case Opcode::HardResetClientV2:
    case Opcode::HardResetClientV3:
    case Opcode::ControlWkcV1: return true;
    default: return false;
  }
}

}  // namespace

Verdict Uplink::handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now) {
  if (datagram.empty()) return Verdict::dropped(Drop::Truncated);
  if (is_control_for_server(opcode_of(datagram[0]))) {
    if (datagram.size() < kControlPacketMin) return Verdict::dropped(Drop::Truncated);
    return Verdict::control();
  }
  return handle_data(datagram, source, now);
}

Verdict Uplink::handle_data(MutableBytes datagram, UplinkSource& source, Instant now) {
  const std::expected<DataHeader, Drop> header = parse_data_header(datagram);
  if (!header) return Verdict::dropped(header.error());
  if (datagram.size() <= data_overhead(header->size())) return Verdict::dropped(Drop::Truncated);

  if (const auto refusal = find_session(header->peer_id, source)) return *refusal;
  Session& session = *source.session;
  if (source.is_foreign && !may_open_from(source.endpoint, session, now)) {
    return Verdict::dropped(Drop::WrongEndpoint);
  }
  const std::expected<Session::Opened, Drop> opened = session.open(*header, datagram, now);
  if (!opened) {
    if (source.is_foreign) note_failure_from_elsewhere(session, now);
    return Verdict::dropped(opened.error());
  }
  if (source.is_foreign && opened->is_newest) follow(session, source, now);
  if (session.has_message()) housekeeping_.note_message(session);
  switch (opened->kind) {
    case PayloadKind::Packet: return forward(source, opened->payload);
    case PayloadKind::Exit: housekeeping_.note_exit(session); return Verdict::consumed();
    case PayloadKind::MtuRequest:
    case PayloadKind::MtuReply:
    case PayloadKind::Ping:
    case PayloadKind::Ignored: return Verdict::consumed();
  }
  return Verdict::consumed();
}

/// Sets source.session, or says what becomes of the datagram instead.
std::optional<Verdict> Uplink::find_session(PeerId named, UplinkSource& source) const {
  if (source.session != nullptr && source.session->peer_id() == named) return std::nullopt;
  const PeerId peer = named.is_set() ? named : sessions_.find_endpoint(source.endpoint);
  if (!peer.is_set()) return Verdict::dropped(Drop::UnknownPeer);
  if (!sessions_.owns(peer)) return Verdict::to_worker(sessions_.owner(peer));
  Session* const session = sessions_.find(peer);
  if (session == nullptr) return Verdict::dropped(Drop::UnknownPeer);
  source.session = session;
  source.is_foreign = session->endpoint() != source.endpoint;
  return std::nullopt;
}

/// What a client sends through its own tunnel to our socket comes from an inner address: a session
/// that followed it would be sealed into itself (security goal C05).
///
/// Nor does a session move to a TCP connection, which is another client's or none's, or from one.
bool Uplink::may_open_from(const LinkEndpoint& endpoint, Session& session, Instant now) const {
  if (endpoint.is_tcp() || session.endpoint().is_tcp()) return false;
  const IpAddress& there = endpoint.remote.address;
  if (!session.can_move() || settings_.is_in_pool(there) || settings_.is_own(there)) return false;
  // Neither from behind itself. Behind another client it may be, in a tunnel within a tunnel.
  if (routes_.find(there) == session.peer_id()) return false;
  return session.whereabouts().failures().is_left(now) || failures_from_elsewhere_.is_left(now);
}

void Uplink::note_failure_from_elsewhere(Session& session, Instant now) {
  FailureBudget& own = session.whereabouts().failures();
  (own.is_left(now) ? own : failures_from_elsewhere_).note_failure(now);
}

/// The client is at `source` (security goal A18): this is the only place where a session moves by
/// itself. Where another session of this worker is, it asks before; where one of another worker is,
/// the control thread will send it back.
void Uplink::follow(Session& session, UplinkSource& source, Instant now) {
  Whereabouts& whereabouts = session.whereabouts();
  if (!whereabouts.may_change(now)) return;
  const PeerId resident = sessions_.find_endpoint(source.endpoint);
  const bool is_taken = resident.is_set() && resident != session.peer_id();
  if (is_taken || whereabouts.is_refused(source.endpoint)) {
    whereabouts.claim(source.endpoint, now);
    housekeeping_.note_claim(session, source.endpoint);
    return;
  }
  sessions_.move(session, source.endpoint, now);
  source.is_foreign = false;
  housekeeping_.note_float(session);
  housekeeping_.watch(session, now);
}

Verdict Uplink::forward(const UplinkSource& source, MutableBytes payload) {
  Session& session = *source.session;
  std::expected<IpPacket, Drop> ip = parse_ip_packet(payload);
  if (!ip) return Verdict::dropped(ip.error());
  // What lies behind the packet's own length is nobody's business.
  const MutableBytes packet = payload.first(ip->total_length());

  JudgedFlow& flow = flow_of(session.peer_id());
  if (!is_judged(flow, session.peer_id(), *ip)) {
    const Verdict verdict = judge(session, *ip, packet);
    if (verdict.way == Verdict::Way::Dropped) return verdict;
    note_judged(flow, session.peer_id(), *ip, verdict.way);
  }
  if (!take_outer_ecn(packet, *ip, source.ecn)) return Verdict::dropped(Drop::IllegalEcn);
  session.count_packet(packet.size());
  // What is for another client is compared with what goes to that client.
  if (packet.size() > settings_.tun_mtu && flow.way == Verdict::Way::Tun) {
    return {.way = Verdict::Way::Misfit, .packet = packet, .ip = *ip};
  }
  clamp_mss(packet, *ip, {.v4 = session.mss().v4, .v6 = session.mss().v6});
  return {.way = flow.way, .packet = packet, .ip = *ip};
}

/// The peer ids of one worker are apart by the number of workers: the factor spreads them.
Uplink::JudgedFlow& Uplink::flow_of(PeerId peer) {
  static_assert(std::has_single_bit(kJudgedFlows));
  constexpr int kShift = 32 - std::countr_zero(kJudgedFlows);
  return judged_[peer.value * std::uint32_t{0x9e3779b1} >> kShift];
}

bool Uplink::is_judged(const JudgedFlow& flow, PeerId peer, const IpPacket& ip) const {
  return flow.peer == peer && flow.routes_generation == routes_.generation() &&
         std::ranges::equal(Bytes(flow.addresses).first(flow.addresses_size), ip.address_bytes());
}

/// Drops are judged anew each time: whoever sends them shall not push out a flow.
void Uplink::note_judged(JudgedFlow& flow, PeerId peer, const IpPacket& ip,
                         Verdict::Way way) const {
  const Bytes addresses = ip.address_bytes();
  flow.peer = peer;
  flow.routes_generation = routes_.generation();
  flow.addresses_size = static_cast<std::uint8_t>(addresses.size());
  std::ranges::copy(addresses, flow.addresses.begin());
  flow.way = way;
}

/// A function of the peer, the two addresses, the routes and the settings, and of nothing else.
Verdict Uplink::judge(const Session& session, const IpPacket& ip, MutableBytes packet) const {
  if (!may_send_from(session, ip.source())) return Verdict::dropped(Drop::SpoofedSource);
  if (is_martian(ip.destination())) return Verdict::dropped(Drop::MartianDestination);
  return route(session, ip, packet);
}

// Exactly the routes that lead to a peer are its sources (security goal C01). IPv6 link-local is no
// exception: OpenVPN lets it pass, but nothing beyond the tunnel could answer. The server's own and
// the martian addresses are refused by name, because a client that is the way to 0.0.0.0/0 has a
// route for them.
bool Uplink::may_send_from(const Session& session, const IpAddress& source) const {
  return routes_.find(source) == session.peer_id() && !is_martian(source) &&
         !settings_.is_own(source);
}

Verdict Uplink::route(const Session& session, const IpPacket& ip, MutableBytes packet) const {
  const IpAddress destination = ip.destination();
  if (settings_.is_own(destination)) return Verdict::to_tun(packet, ip);
  if (!settings_.client_to_client) {
    // The kernel would send it back to us, and so to the other client (security goal C04). What is
    // behind another client, but not of a tunnel network, is left to the host's forwarding rules.
    if (settings_.is_in_pool(destination)) return Verdict::dropped(Drop::ClientToClientOff);
    return Verdict::to_tun(packet, ip);
  }

  const PeerId peer = routes_.find(destination);
  // A packet for the sender's own network would go round between the two until it is worn out.
  if (peer == session.peer_id()) return Verdict::dropped(Drop::NoRoute);
  if (peer.is_set()) return Verdict::to_peer(packet, ip);
  // A free address of a tunnel network: the kernel, too, would only send it back to us.
  if (settings_.is_in_pool(destination)) return Verdict::dropped(Drop::NoRoute);
  return Verdict::to_tun(packet, ip);
}

}  // namespace ringway
