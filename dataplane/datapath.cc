#include "dataplane/datapath.h"

#include "base/check.h"
#include "dataplane/downlink.h"
#include "dataplane/housekeeping.h"
#include "dataplane/route_table.h"
#include "dataplane/session_table.h"
#include "dataplane/uplink.h"

namespace ringway {

static_assert(Datapath::kSealOverhead == kDataOverheadMax);
static_assert(Datapath::kPingSizeMax == kDataOverheadMax + kPingPayload.size());

struct Datapath::State {
  explicit State(const DatapathSettings& given)
      : settings(given),
        engines(settings.aead),
        sessions(settings),
        routes(settings),
        housekeeping(sessions),
        uplink(settings, sessions, routes, housekeeping),
        downlink(settings, sessions, routes) {}

  void handle(const AddSession& command, Instant now);
  void handle(const InstallKeys& command, Instant now);
  void handle(const ConfirmKey& command, Instant now);
  void handle(const RemoveSession& command, Instant now);
  void handle(const AddRoute& command, Instant now);
  void handle(const RemoveRoute& command, Instant now);
  void handle(const Stop&, Instant) {}

  Verdict counted(const Verdict& verdict) {
    if (verdict.way == Verdict::Way::Dropped) ++drops[static_cast<std::size_t>(verdict.drop)];
    return verdict;
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
  std::array<std::uint64_t, kDropCount> drops{};
};

Datapath::Datapath(const DatapathSettings& settings) : state_(std::make_unique<State>(settings)) {}
Datapath::~Datapath() = default;

void Datapath::handle_command(WorkerCommand command, Instant now) {
  std::visit([&](const auto& one) { state_->handle(one, now); }, command);
}

Verdict Datapath::handle_datagram(MutableBytes datagram, UplinkSource& source, Instant now) {
  return state_->counted(state_->uplink.handle_datagram(datagram, source, now));
}

std::expected<RoutedFrame, Drop> Datapath::route_frame(const VnetHeader& header, Bytes packet) {
  std::expected<RoutedFrame, Drop> frame = state_->downlink.route_frame(header, packet);
  if (!frame) return state_->counted(frame.error(), 1);
  // All packets of a frame have the size of its first, but for the last.
  const Segmenter& segmenter = frame->segmenter;
  if (segmenter.next_size() > state_->settings.tun_mtu) {
    return state_->counted(Drop::TooBig, segmenter.packet_count());
  }
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

void Datapath::handle_timeout(Instant now) { state_->housekeeping.handle_timeout(now); }

Instant Datapath::poll_timeout() const { return state_->housekeeping.poll_timeout(); }

std::optional<Verdict> Datapath::poll_transmit(MutableBytes scratch, Instant now) {
  RW_ASSERT(scratch.size() >= kPingSizeMax);
  while (Session* const session = state_->housekeeping.next_ping(now)) {
    const std::expected<MutableBytes, Drop> ping = session->seal(kPingPayload, scratch, now);
    if (ping) return Verdict::to_link(*ping, session->endpoint());
    // Without a key that can seal, the ping is as good as sent: the next is due an interval later.
    session->ping_timer().note_sent(now);
  }
  return std::nullopt;
}

std::optional<WorkerReport> Datapath::poll_report() { return state_->housekeeping.poll_report(); }

const std::array<std::uint64_t, kDropCount>& Datapath::drops() const { return state_->drops; }

std::size_t Datapath::session_count() const { return state_->sessions.session_count(); }

std::optional<Datapath::PeerTraffic> Datapath::traffic_of(PeerId peer) const {
  const Session* const session = state_->sessions.find(peer);
  if (session == nullptr) return std::nullopt;
  return PeerTraffic{.bytes_received = session->traffic().bytes_received,
                     .bytes_sent = session->traffic().bytes_sent,
                     .last_received = session->ping_timer().last_received()};
}

void Datapath::State::handle(const AddSession& command, Instant now) {
  if (!sessions.owns(command.peer_id)) {
    sessions.add_foreign(command.peer_id, command.endpoint);
    return;
  }
  if (const Session* const former = sessions.find(command.peer_id)) housekeeping.forget(*former);
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

void Datapath::State::handle(const RemoveSession& command, Instant) {
  if (const Session* const session = sessions.find(command.peer_id)) housekeeping.forget(*session);
  sessions.remove(command.peer_id);
}

void Datapath::State::handle(const AddRoute& command, Instant) {
  routes.add(command.prefix, command.peer_id);
}

void Datapath::State::handle(const RemoveRoute& command, Instant) {
  routes.remove(command.prefix, command.peer_id);
}

}  // namespace ringway
