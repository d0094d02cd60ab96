#pragma once

#include "base/time.h"
#include "dataplane/housekeeping.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/verdict.h"
#include "tun/ip_packet.h"

namespace ringway {

/// Link to tun: a datagram from a client becomes an inner packet, or nothing.
///
/// The order of the checks is the order of their cost, and nothing before the opened tag changes
/// any state but a counter. Pure; used on one worker; never allocates.
class Uplink {
 public:
  /// All references outlive this.
  Uplink(const DatapathSettings& settings, const SessionTable& sessions, const RouteTable& routes,
         Housekeeping& housekeeping)
      : settings_(settings), sessions_(sessions), routes_(routes), housekeeping_(housekeeping) {}

  [[nodiscard]] Verdict handle_datagram(MutableBytes datagram, const LinkEndpoint& from,
                                        Instant now);

 private:
  [[nodiscard]] Verdict handle_data(MutableBytes datagram, const LinkEndpoint& from, Instant now);
  [[nodiscard]] Verdict forward(const Session& session, MutableBytes payload) const;
  [[nodiscard]] bool may_send_from(const Session& session, const IpAddress& source) const;
  [[nodiscard]] Verdict route(const Session& session, const IpPacket& ip,
                              MutableBytes packet) const;

  const DatapathSettings& settings_;
  const SessionTable& sessions_;
  const RouteTable& routes_;
  Housekeeping& housekeeping_;
};

}  // namespace ringway
