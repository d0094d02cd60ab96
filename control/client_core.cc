#include "control/client_core.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "control/client_core_state.h"

namespace ringway {
namespace {

using Cause = ClientDisconnected::Cause;

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

ClientCore::ClientCore(const ClientSettings& settings, const TlsWrap& wrap, const TlsContext& tls,
                       RandomSource& random, Now now)
    : state_(std::make_unique<State>(settings, wrap, tls, random, now)) {}
ClientCore::~ClientCore() = default;
ClientCore::ClientCore(ClientCore&&) noexcept = default;
ClientCore& ClientCore::operator=(ClientCore&&) noexcept = default;

std::optional<ClientPacket> ClientCore::handle_datagram(MutableBytes datagram, Now now) {
  if (state_->over || datagram.empty()) return std::nullopt;
  if (is_data(opcode_of(datagram.front()))) return state_->handle_data(datagram, now);

  state_->handle_control(datagram, now);
  return std::nullopt;
}

void ClientCore::State::handle_control(Bytes datagram, Now now) {
  const auto refused = [this] { return channel.drops()[static_cast<std::size_t>(Drop::BadWrap)]; };
  const std::uint64_t refused_before = refused();
  channel.handle_datagram(datagram, now);
  // Whatever is authentic shows that the server lives, also on the control channel.
  if (session) {
    session->ping_timer().note_received(
        std::max(channel.last_received(), session->ping_timer().last_received()));
  }
  drain_channel(now);
  // The channel has counted it.
  if (refused() > refused_before) end_if_stream(Drop::BadWrap);
}

std::optional<ClientPacket> ClientCore::State::handle_data(MutableBytes datagram, Now now) {
  if (!session) {
    count(Drop::NoKey);
    return std::nullopt;
  }
  // Whose number stands in the header is not looked at, as in every client: the key decides.
  const auto header = parse_data_header(datagram);
  const auto opened =
      header ? session->open(*header, datagram, now.instant) : std::unexpected(header.error());
  renegotiate_if_worn(now);
  if (!opened) {
    count(opened.error());
    end_if_stream(opened.error());
    return std::nullopt;
  }
  ++opened_count;
  if (opened->kind != PayloadKind::Packet) return std::nullopt;
  lifetime.note_packet(opened->payload.size(), now.instant);
  return ClientPacket{opened->payload};
}

std::size_t ClientCore::seal_overhead() const {
  RW_ASSERT(is_connected());
  return state_->session->seal_overhead();
}

std::size_t ClientCore::payload_offset() const {
  RW_ASSERT(is_connected());
  return state_->session->payload_offset();
}

std::optional<MutableBytes> ClientCore::handle_packet(Bytes packet, MutableBytes out, Now now) {
  if (!state_->connected || state_->over) {
    state_->count(Drop::NoKey);
    return std::nullopt;
  }
  const auto sealed = state_->session->seal(packet, out, now.instant);
  state_->renegotiate_if_worn(now);
  if (!sealed) {
    state_->count(sealed.error());
    return std::nullopt;
  }
  state_->lifetime.note_packet(packet.size(), now.instant);
  return *sealed;
}

std::size_t ClientCore::packet_max() const {
  return is_connected() ? state_->session->packet_max() : 0;
}

std::uint8_t ClientCore::outer_class_mask() const {
  return is_connected() ? state_->session->settings().outer_class_mask : 0;
}

void ClientCore::note_refused(std::size_t datagram_size, Now now) {
  if (state_->session) state_->session->note_refused(datagram_size, now.instant);
}

void ClientCore::note_hint(std::size_t mtu, Now now) {
  if (state_->session) state_->session->note_hint(mtu, now.instant);
}

PathMtu::Counts ClientCore::take_path_counts() {
  return state_->session ? state_->session->take_path_counts() : PathMtu::Counts{};
}

const PathMtu* ClientCore::path() const {
  return state_->session ? &state_->session->path() : nullptr;
}

InnerMss ClientCore::mss() const { return is_connected() ? state_->session->mss() : InnerMss{}; }

void ClientCore::handle_timeout(Now now) {
  State& state = *state_;
  if (state.over) return;
  state.channel.handle_timeout(now);
  state.drain_channel(now);
  if (state.over) return;

  if (state.leave_by && now.instant >= *state.leave_by && state.goodbyes == 0) {
    state.finish("left", Cause::Left);
    return;
  }
  if (!state.session) return;
  state.session->handle_timeout(now.instant);
  state.session->keys().expire(now.instant);
  if (state.session->ping_timer().take_idle_notice(now.instant)) {
    if (state.push->ping_exits) {
      state.finish("nothing came from the server for too long (ping-exit)", Cause::Over);
    } else {
      state.finish("nothing came from the server for too long (ping-restart)", Cause::Silence);
    }
    return;
  }
  state.look_at_lifetime(now);
}

std::optional<Instant> ClientCore::poll_timeout() const {
  State& state = *state_;
  if (state.over) return std::nullopt;
  std::optional<Instant> next = state.channel.poll_timeout();
  next = earlier(next, state.leave_by);
  if (state.goodbyes > 0) next = earlier(next, state.goodbye_due);
  if (state.session) {
    next = earlier(next, state.session->ping_timer().deadline());
    next = earlier(next, state.session->path_deadline());
    next = earlier(next, state.session->key_deadline());
    if (!state.leave_by) next = earlier(next, state.lifetime.deadline());
  }
  return next;
}

std::optional<Bytes> ClientCore::poll_transmit(MutableBytes scratch, Now now) {
  State& state = *state_;
  if (state.over) return std::nullopt;
  if (const auto datagram = state.channel.poll_transmit(scratch, now)) return datagram;
  if (!state.session) return std::nullopt;

  if (state.goodbyes > 0 && now.instant >= state.goodbye_due) {
    --state.goodbyes;
    state.goodbye_due = now.instant + kLeaveGrace;
    return state.seal_in_band(kExitPayload, scratch, now.instant);
  }
  while (state.session->has_message()) {
    if (const auto message = state.session->poll_message(scratch, now.instant)) return *message;
  }
  if (state.session->ping_timer().ping_is_due(now.instant)) {
    return state.seal_in_band(kPingPayload, scratch, now.instant);
  }
  return std::nullopt;
}

std::optional<Bytes> ClientCore::State::seal_in_band(Bytes message, MutableBytes scratch,
                                                     Instant now) {
  const auto sealed = session->seal(message, scratch, now);
  if (sealed) return *sealed;
  // Without a usable key the next attempt is due a whole interval from now, not at once.
  session->ping_timer().note_sent(now);
  count(sealed.error());
  return std::nullopt;
}

std::optional<ClientEvent> ClientCore::poll_event() {
  if (state_->events.empty()) return std::nullopt;
  ClientEvent event = std::move(state_->events.front());
  state_->events.pop_front();
  return event;
}

void ClientCore::renegotiate(Now now) {
  if (state_->over || !state_->connected) return;
  state_->channel.renegotiate(now);
  state_->drain_channel(now);
}

void ClientCore::set_login(SharedLogin login, Now now) {
  if (state_->over) return;
  state_->channel.set_login(std::move(login), now);
  state_->drain_channel(now);
}

void ClientCore::answer_challenge(const SecretText& answer, Now now) {
  if (state_->over) return;
  std::string message = "CR_RESPONSE," + encode_base64(bytes_of(answer.view()));
  state_->channel.send_message(message, now);
  wipe(message);
  state_->drain_channel(now);
}

/// The end that was asked for; the server is told of it like of any other.
void ClientCore::State::look_at_lifetime(Now now) {
  if (!connected || leave_by || over) return;
  const std::string_view verdict = lifetime.verdict(now.instant);
  if (verdict.empty()) return;
  events.emplace_back(ClientTimeIsUp{std::string(verdict)});
  lifetime = ClientLifetime();
}

void ClientCore::leave(Now now) {
  State& state = *state_;
  if (state.over || state.leave_by) return;
  // The end of the connection is what says it.
  if (state.settings.path == PathKind::Stream) return state.finish("left", Cause::Left);
  if (!state.connected) return state.finish("left before the connection was there", Cause::Left);

  if (state.push->exit_on_control_channel) {
    state.channel.send_message("EXIT", now);
    state.leave_by = now.instant + kLeaveGrace;
    state.drain_channel(now);
  } else {
    state.goodbyes = state.push->exit_notify_count;
    state.goodbye_due = now.instant;
    state.leave_by = now.instant + state.goodbyes * kLeaveGrace;
  }
}

void ClientCore::handle_connection_ended() {
  if (!state_->over) state_->finish("the TCP connection has ended", Cause::Failed);
}

bool ClientCore::is_answered() const { return !state_->channel.remote_session().is_zero(); }

bool ClientCore::is_connected() const { return state_->connected && !state_->over; }

PeerId ClientCore::peer_id() const { return state_->connected ? state_->push->peer_id : PeerId{}; }

std::uint64_t ClientCore::opened_count() const { return state_->opened_count; }

std::array<std::uint64_t, kDropCount> ClientCore::drops() const {
  std::array<std::uint64_t, kDropCount> sum = state_->drops;
  for (std::size_t i = 0; i < kDropCount; ++i) sum[i] += state_->channel.drops()[i];
  return sum;
}

}  // namespace ringway
