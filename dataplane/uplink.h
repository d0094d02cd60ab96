#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "dataplane/housekeeping.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/verdict.h"
#include "tun/ip_packet.h"

namespace ringway {

/// Where the datagrams of one received message came from. They have one sender, so that its session
/// is looked up, and the endpoint compared, for the first that names it and not for all. Made anew
/// for each message: no command may be handled in its lifetime.
struct UplinkSource {
  explicit UplinkSource(const LinkEndpoint& from) : endpoint(from) {}

  const LinkEndpoint& endpoint;
  /// The session that was found last; its endpoint is this one.
  Session* session = nullptr;
};

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

  [[nodiscard]] Verdict handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now);

 private:
  [[nodiscard]] Verdict handle_data(MutableBytes datagram, UplinkSource& source, Instant now);
  [[nodiscard]] std::optional<Verdict> find_session(PeerId named, UplinkSource& source) const;
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
