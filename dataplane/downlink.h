#pragma once

#include "base/time.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/verdict.h"
#include "tun/ip_packet.h"

namespace ringway {

/// Tun to link: an inner packet becomes a sealed datagram for the peer that it is routed to.
/// Pure; used on one worker; never allocates.
class Downlink {
 public:
  /// All references outlive this.
  Downlink(const DatapathSettings& settings, const SessionTable& sessions, const RouteTable& routes)
      : settings_(settings), sessions_(sessions), routes_(routes) {}

  [[nodiscard]] Verdict handle_packet(Bytes packet, MutableBytes out, Instant now);

 private:
  const DatapathSettings& settings_;
  const SessionTable& sessions_;
  const RouteTable& routes_;
};

}  // namespace ringway
