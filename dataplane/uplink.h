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
  explicit UplinkSource(const LinkEndpoint& from, std::uint8_t ecn_mark = 0)
      : endpoint(from), ecn(ecn_mark) {}

  const LinkEndpoint& endpoint;
  /// LinkArrival::ecn.
  std::uint8_t ecn;
  /// The session that was found last.
  Session* session = nullptr;
  /// The session is not known to be here, and not moved here yet.
  bool is_foreign = false;
};

/// Link to tun: a datagram from a client becomes an inner packet, or nothing.
///
/// The order of the checks is the order of their cost, and nothing before the opened tag changes
/// any state but a counter. Pure; used on one worker; never allocates.
class Uplink {
 public:
  /// Datagrams from elsewhere than their session's endpoint that may fail to open in a second, of
  /// all peers together and beyond Whereabouts::kFailuresPerSecond of each: some two per cent of a
  /// core. Whoever forges more keeps sessions from moving, and the worker from nothing else.
  static constexpr std::uint32_t kFailuresFromElsewhere = 16'384;

  /// All references outlive this.
  Uplink(const DatapathSettings& settings, SessionTable& sessions, const RouteTable& routes,
         Housekeeping& housekeeping)
      : settings_(settings), sessions_(sessions), routes_(routes), housekeeping_(housekeeping) {}

  [[nodiscard]] Verdict handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now);

 private:
  [[nodiscard]] Verdict handle_data(MutableBytes datagram, UplinkSource& source, Instant now);
  [[nodiscard]] std::optional<Verdict> find_session(PeerId named, UplinkSource& source) const;
  [[nodiscard]] bool may_open_from(const LinkEndpoint& endpoint, Session& session,
                                   Instant now) const;
  void note_failure_from_elsewhere(Session& session, Instant now);
  void follow(Session& session, UplinkSource& source, Instant now);
  [[nodiscard]] Verdict forward(const UplinkSource& source, MutableBytes payload);
  [[nodiscard]] Verdict judge(const Session& session, const IpPacket& ip,
                              MutableBytes packet) const;
  [[nodiscard]] bool may_send_from(const Session& session, const IpAddress& source) const;
  [[nodiscard]] Verdict route(const Session& session, const IpPacket& ip,
                              MutableBytes packet) const;

  /// The addresses that a client's packet was judged by last, and whither it went: most packets are
  /// of the flow of the one before. Good for one peer and one state of the routes.
  struct JudgedFlow {
    std::uint64_t routes_generation = 0;
    PeerId peer;
    Verdict::Way way = Verdict::Way::Tun;
    std::uint8_t addresses_size = 0;
    std::array<std::uint8_t, 32> addresses{};
  };
  /// Clients whose packets alternate keep a place each; two who share one are judged each time.
  static constexpr std::size_t kJudgedFlows = 512;
  [[nodiscard]] JudgedFlow& flow_of(PeerId peer);
  [[nodiscard]] bool is_judged(const JudgedFlow& flow, PeerId peer, const IpPacket& ip) const;
  void note_judged(JudgedFlow& flow, PeerId peer, const IpPacket& ip, Verdict::Way way) const;

  const DatapathSettings& settings_;
  SessionTable& sessions_;
  const RouteTable& routes_;
  Housekeeping& housekeeping_;
  FailureBudget failures_from_elsewhere_{kFailuresFromElsewhere};
  std::array<JudgedFlow, kJudgedFlows> judged_{};
};

}  // namespace ringway
