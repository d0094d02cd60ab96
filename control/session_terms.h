#pragma once

#include "control/address_pool.h"
#include "control/channel/peer_info.h"
#include "control/config/client_terms.h"
#include "control/config/config.h"
#include "dataplane/channel/session_settings.h"
#include "dataplane/datapath_settings.h"

namespace ringway {

/// What the data plane has to know of one client: its keep-alive, how large its packets may be, and
/// what of their traffic class its datagrams carry. `is_tcp` is whether it is behind a TCP
/// connection, `peer` what it says of itself, `own` what is said of it alone. Pure.
SessionSettings session_terms(const ServerConfig& config, bool is_tcp, const PeerInfo& peer,
                              const ClientTerms& own);
/// `mssfix` of a session over TCP: there is no path to find out about, and a segment of TCP carries
/// packets of any size, but one that fills one segment is best. What is assumed is OpenVPN's
/// default.
MssFix stream_mssfix(const MssFix& configured);

/// Sessions that a worker makes room for: all clients, and as many on their way out.
std::uint32_t sessions_max(const ServerConfig& config);
/// How many addresses and networks may be led to clients, of all together: what a worker's
/// RouteTable has room for.
std::size_t inner_routes_max(const ServerConfig& config);

/// The server's own inner address and the client's, of one family.
TunnelEnds tunnel_ends(const TunnelConfig& tunnel, const Lease& lease);

/// What strangers meet at the workers. `wrap` is borrowed.
AdmissionSettings admission_settings(const ServerConfig& config, const TlsWrap& wrap);

}  // namespace ringway
