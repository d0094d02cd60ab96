#include "control/session_terms.h"

#include "control/config/tunnel_addresses.h"
#include "dataplane/route_table.h"
#include "tun/ecn.h"

namespace ringway {

namespace {

/// DSCP: all of the traffic class but ECN (RFC 2474 3).
constexpr std::uint8_t kDscpMask = 0xfc;

}  // namespace

SessionSettings session_terms(const ServerConfig& config, bool is_tcp, const PeerInfo& peer,
                              const ClientTerms& own) {
  std::uint8_t outer_class_mask = config.tunnel.passtos ? kDscpMask : 0;
  if (takes_outer_ecn(peer)) outer_class_mask |= ecn::kMask;
  SessionSettings settings{.ping_interval = own.ping.value_or(config.timers.ping),
                           .ping_restart = own.ping_restart.value_or(config.timers.ping_restart),
                           .mssfix = config.tunnel.mssfix,
                           .tun_mtu = config.tunnel.mtu,
                           .path = PathKind::Searched,
                           .outer_class_mask = outer_class_mask,
                           .data_v2 = peer.has(ProtoBit::DataV2)};
  if (!is_tcp) return settings;
  // The kernel makes the segments, and nobody could say of which packets.
  settings.outer_class_mask = 0;
  settings.path = PathKind::Stream;
  settings.mssfix = stream_mssfix(config.tunnel.mssfix);
  return settings;
}

std::size_t inner_routes_max(const ServerConfig& config) {
  return RouteTable::kRoutesPerSession * sessions_max(config);
}

std::uint32_t sessions_max(const ServerConfig& config) { return 2 * config.clients_max; }

MssFix stream_mssfix(const MssFix& configured) {
  constexpr MssFix kAssumed{.value = 1492, .mode = MssFix::Mode::Mtu};
  return configured.mode == MssFix::Mode::Path ? kAssumed : configured;
}

TunnelEnds tunnel_ends(const TunnelConfig& tunnel, const Lease& lease) {
  if (tunnel.network_v4 && lease.v4) {
    return {.ours = *own_address_v4(tunnel), .theirs = *lease.v4};
  }
  if (tunnel.network_v6 && lease.v6) {
    return {.ours = *own_address_v6(tunnel), .theirs = *lease.v6};
  }
  return {};
}

AdmissionSettings admission_settings(const ServerConfig& config, const TlsWrap& wrap) {
  return {.wrap = &wrap,
          .hand_window = config.timers.hand_window,
          .limits = {.answers = config.connect_freq_initial,
                     .handshakes = config.connect_freq,
                     .from_one_source = config.connect_freq_source,
                     .shared_sources = config.connect_freq_shared,
                     .hash = {}}};
}

}  // namespace ringway
