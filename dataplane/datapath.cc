#include "dataplane/datapath.h"

#include "base/check.h"
#include "dataplane/control_intake.h"
#include "dataplane/downlink.h"
#include "dataplane/housekeeping.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/uplink.h"

namespace ringway {

static_assert(Datapath::kSealOverheadMax == kDataOverheadMax);
static_assert(Datapath::kPingSizeMax == kDataOverheadMax + kPingPayload.size());

struct Datapath::State {
  explicit State(const DatapathSettings& given)
      : settings(given),
        engines(settings.aead),
        sessions(settings),
        routes(settings),
        housekeeping(sessions),
        uplink(settings, sessions, routes, housekeeping),
        downlink(settings, sessions, routes) {
    if (settings.admission) intake.emplace(settings);
  }

  void handle(const AddSession& command, Instant now);
  void handle(const InstallKeys& command, Instant now);
  void handle(const ConfirmKey& command, Instant now);
  void handle(const MoveSession& command, Instant now);
  void handle(const RefuseEndpoint& command, Instant now);
  void handle(const RemoveSession& command, Instant now);
  void handle(const AddRoute& command, Instant now);
  void handle(const RemoveRoute& command, Instant now);
  void handle(const PathHint& command, Instant now);
  void handle(const KnowChannel& command, Instant) {
    if (intake) intake->handle(command);
  }
  void handle(const ForgetChannel& command, Instant) {
    if (intake) intake->handle(command);
  }
  void handle(const InstallCookieKey& command, Instant) {
    if (intake) intake->handle(command);
  }
  void handle(const CloseGate& command, Instant) {
    if (intake) intake->handle(command);
  }
  void handle(const Stop&, Instant) {}
  Verdict take_in(Bytes datagram, const LinkEndpoint& from, Instant now) {
    if (!intake) return Verdict::control();
    return intake->handle_datagram(datagram, from, {.instant = now, .wall = wall});
  }
  /// Something is new about the path of a session.
  void note_path(const Session& session, Instant now);

  void count(const Verdict& verdict) {
    if (verdict.way == Verdict::Way::Dropped) ++drops[static_cast<std::size_t>(verdict.drop)];
  }

  std::unexpected<Drop> counted(Drop drop, std::size_t count) {
    drops[static_cast<std::size_t>(drop)] += count;
    return std::unexpected(drop);
  }

  DatapathSettings settings;
  /// Before the sessions, whose keys borrow from it.
  AeadEngines engines;
  SessionTable sessions;
  RouteTable routes;
  Housekeeping housekeeping;
  Uplink uplink;
  Downlink downlink;
  std::optional<ControlIntake> intake;
  UnixTime wall;
  std::array<std::uint64_t, kDropCount> drops{};
};

Datapath::Datapath(const DatapathSettings& settings) : state_(std::make_unique<State>(settings)) {}
Datapath::~Datapath() = default;

void Datapath::handle_command(WorkerCommand command, Instant now) {
  std::visit([&](const auto& one) { state_->handle(one, now); }, command);
}

Verdict Datapath::handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now) {
  // A verdict is large: it is made where the caller wants it, and never copied on a packet's way.
  Verdict verdict = state_->uplink.handle_datagram(datagram, source, now);
  if (verdict.way == Verdict::Way::Control) [[unlikely]] {
    verdict = state_->take_in(datagram, source.endpoint, now);
  }
  state_->count(verdict);
  return verdict;
}

std::expected<RoutedFrame, Drop> Datapath::route_frame(const VnetHeader& header, Bytes packet) {
  const std::expected<RoutedFrame, Drop> frame = state_->downlink.route_frame(header, packet);
  if (!frame) return state_->counted(frame.error(), 1);
  return frame;
}

std::expected<PeerTarget, Drop> Datapath::target_of(const RoutedFrame& frame) {
  const std::expected<PeerTarget, Drop> target = state_->downlink.target_of(frame.peer);
  if (!target) return state_->counted(target.error(), frame.segmenter.left_count());
  return target;
}

std::expected<MutableBytes, Drop> Datapath::seal_next(RoutedFrame& frame, const PeerTarget& target,
                                                      MutableBytes packet, MutableBytes out,
                                                      Instant now) {
  const std::expected<MutableBytes, Drop> datagram =
      Downlink::seal_next(frame, target, packet, out, now);
  if (!datagram) return state_->counted(datagram.error(), 1);
  return datagram;
}

void Datapath::set_wall(UnixTime wall) { state_->wall = wall; }

void Datapath::handle_timeout(Instant now) { state_->housekeeping.handle_timeout(now); }

Instant Datapath::poll_timeout() const { return state_->housekeeping.poll_timeout(); }

std::optional<Verdict> Datapath::poll_transmit(MutableBytes scratch, Instant now) {
  RW_ASSERT(scratch.size() >= kPingSizeMax);
  Housekeeping& housekeeping = state_->housekeeping;
  while (Session* const session = housekeeping.next_sender(now)) {
    if (session->has_message()) {
      const std::optional<MutableBytes> message = session->poll_message(scratch, now);
      if (session->has_message()) housekeeping.note_message(*session);
      housekeeping.watch(*session, now);
      if (message) return Verdict::to_link(*message, session->endpoint());
      continue;
    }
    const std::expected<MutableBytes, Drop> ping = session->seal(kPingPayload, scratch, now);
    if (ping) return Verdict::to_link(*ping, session->endpoint());
    // Without a key that can seal, the ping is as good as sent: the next is due an interval later.
    session->ping_timer().note_sent(now);
  }
  return std::nullopt;
}

bool Datapath::has_transmit() const { return state_->housekeeping.has_messages(); }

void Datapath::note_refused(const LinkEndpoint& to, std::size_t datagram_size, Instant now) {
  Session* const session = state_->sessions.find(state_->sessions.find_endpoint(to));
  if (session == nullptr) return;
  session->note_refused(datagram_size, now);
  state_->note_path(*session, now);
}

PathMtu::Counts Datapath::take_path_counts() { return state_->housekeeping.take_path_counts(); }

std::optional<WorkerReport> Datapath::poll_report() { return state_->housekeeping.poll_report(); }

const std::array<std::uint64_t, kDropCount>& Datapath::drops() const { return state_->drops; }

std::size_t Datapath::session_count() const { return state_->sessions.session_count(); }

std::optional<Datapath::PeerTraffic> Datapath::traffic_of(PeerId peer) const {
  const Session* const session = state_->sessions.find(peer);
  if (session == nullptr) return std::nullopt;
  return PeerTraffic{.bytes_received = session->traffic().bytes_received,
                     .bytes_sent = session->traffic().bytes_sent,
                     .payload_bytes = session->traffic().payload_bytes,
                     .last_received = session->ping_timer().last_received(),
                     .path_mtu = session->path().size(),
                     .path_is_proven = session->path().is_proven()};
}

void Datapath::State::handle(const AddSession& command, Instant now) {
  if (!sessions.owns(command.peer_id)) {
    sessions.add_foreign(command.peer_id, command.endpoint);
    return;
  }
  if (Session* const former = sessions.find(command.peer_id)) housekeeping.forget(*former);
  housekeeping.watch(sessions.add(command.peer_id, command.endpoint, command.settings, now), now);
}

void Datapath::State::handle(const InstallKeys& command, Instant now) {
  Session* const session = sessions.find(command.peer_id);
  if (session == nullptr) return;
  session->keys().install(command.keys, engines);
  housekeeping.watch(*session, now);
}

void Datapath::State::handle(const ConfirmKey& command, Instant) {
  Session* const session = sessions.find(command.peer_id);
  if (session != nullptr) session->keys().confirm(command.key_id);
}

/// What is granted may be stale: then the report says where the session really is.
void Datapath::State::handle(const MoveSession& command, Instant now) {
  Session* const session = sessions.find(command.peer_id);
  if (session == nullptr || !session->can_move()) return;
  if (session->whereabouts().claims(command.endpoint)) {
    sessions.move(*session, command.endpoint, now);
    note_path(*session, now);
  } else if (session->endpoint() != command.endpoint) {
    housekeeping.note_float(*session);
  }
}

void Datapath::State::handle(const RefuseEndpoint& command, Instant now) {
  Session* const session = sessions.find(command.peer_id);
  if (session == nullptr) return;
  session->whereabouts().refuse(command.refused);
  if (session->endpoint() != command.refused) return;
  sessions.move(*session, command.endpoint, now);
  note_path(*session, now);
}

void Datapath::State::handle(const RemoveSession& command, Instant) {
  if (Session* const session = sessions.find(command.peer_id)) housekeeping.forget(*session);
  sessions.remove(command.peer_id);
}

void Datapath::State::handle(const PathHint& command, Instant now) {
  Session* const session = sessions.find(sessions.find_endpoint(command.to));
  if (session == nullptr) return;
  session->note_hint(command.mtu, now);
  note_path(*session, now);
}

void Datapath::State::note_path(const Session& session, Instant now) {
  if (session.has_message()) housekeeping.note_message(session);
  housekeeping.watch(session, now);
}

void Datapath::State::handle(const AddRoute& command, Instant) {
  routes.add(command.prefix, command.peer_id);
}

void Datapath::State::handle(const RemoveRoute& command, Instant) {
  routes.remove(command.prefix, command.peer_id);
}

}  // namespace ringway
