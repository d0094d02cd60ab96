#pragma once

#include <array>
#include <cstdint>

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
  [[nodiscard]] Verdict forward(const Session& session, MutableBytes payload);
  [[nodiscard]] Verdict judge(const Session& session, const IpPacket& ip,
                              MutableBytes packet) const;
  [[nodiscard]] bool may_send_from(const Session& session, const IpAddress& source) const;
  [[nodiscard]] Verdict route(const Session& session, const IpPacket& ip,
                              MutableBytes packet) const;

  /// The addresses that were judged last, and whither: most packets are of the flow of the one
  /// before. Good for one peer and one state of the routes.
  struct LastJudged {
    PeerId peer;
    std::uint64_t routes_generation = 0;
    std::array<std::uint8_t, 32> addresses{};
    std::size_t addresses_size = 0;
    Verdict::Way way = Verdict::Way::Tun;
  };
  [[nodiscard]] bool is_as_last(const Session& session, const IpPacket& ip) const;
  void note_judged(const Session& session, const IpPacket& ip, Verdict::Way way);

  const DatapathSettings& settings_;
  const SessionTable& sessions_;
  const RouteTable& routes_;
  Housekeeping& housekeeping_;
  LastJudged last_;
};

}  // namespace ringway
