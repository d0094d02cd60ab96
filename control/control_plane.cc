#include "control/control_plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "control/channel/push.h"
#include "control/control_plane_state.h"

namespace ringway {
namespace {

using Stage = Client::Stage;

/// How long clients have to acknowledge RESTART when the server stops (security goal R23).
constexpr Duration kShutdownGrace = 1500ms;

/// The sender's session id stands behind the first byte, whatever the wrapping.
SessionId claimed_session(Bytes datagram) {
  SessionId session;
  std::ranges::copy(datagram.subspan(1, SessionId::kSize), session.bytes.begin());
  return session;
}

std::vector<Prefix> networks_behind(const Client& client) {
  std::vector<Prefix> networks = client.learned;
  for (const std::optional<IpAddress>& own : {client.lease.v4, client.lease.v6}) {
    if (own) std::erase(networks, Prefix::host(*own));
  }
  return networks;
}

}  // namespace

ControlPlane::ControlPlane(const ServerConfig& config, const TlsWrap& wrap, const TlsContext& tls,
                           RandomSource& random, std::uint16_t worker_count,
                           std::string_view persisted_leases, Now now)
    : state_(std::make_unique<State>(config, wrap, tls, random, worker_count, persisted_leases,
                                     now)) {}

ControlPlane::~ControlPlane() = default;

void ControlPlane::foresee_client(const std::string& name, std::string_view lines,
                                  const std::string& where, Now now) {
  state_->role.foresee(name, lines, where, now);
}

void ControlPlane::handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now) {
  if (datagram.size() < 1 + SessionId::kSize) return state_->count(Drop::Truncated);
  if (datagram.size() > kDatagramSizeMax) return state_->count(Drop::Oversize);

  if (Client* client = state_->book.find(from, claimed_session(datagram))) {
    const auto refused = [client] {
      return client->channel.drops()[static_cast<std::size_t>(Drop::BadWrap)];
    };
    const std::uint64_t refused_before = refused();
    client->channel.handle_datagram(datagram, now);
    state_->note_proof(*client);
    state_->role.serve(*client, now);
    if (from.is_tcp() && client->stage != Stage::Gone && refused() > refused_before) {
      state_->role.remove(*client, "a packet over TCP did not authenticate", now);
    }
  } else {
    state_->handle_stranger(datagram, from, now);
  }
  state_->book.bury();
}

void ControlPlane::handle_connection_ended(const LinkEndpoint& from, Now now) {
  for (const ClientId id : state_->book.at(from)) {
    Client* client = state_->book.find(id);
    if (client != nullptr) state_->role.remove(*client, "its TCP connection has ended", now);
  }
  state_->book.bury();
}

void ControlPlane::handle_report(const WorkerReport& report, Now now) {
  std::visit([&](const auto& said) { state_->handle(said, now); }, report);
  state_->book.bury();
}

Client* ControlPlane::State::client_of(PeerId peer) {
  const std::optional<ClientId> id = role.registry().find(peer);
  return id ? book.find(*id) : nullptr;
}

void ControlPlane::State::handle(const KeyWearingOut& report, Now now) {
  Client* client = client_of(report.peer_id);
  if (client == nullptr) return;
  client->channel.renegotiate(now);
  role.serve(*client, now);
}

void ControlPlane::State::handle(const PeerIdle& report, Now now) {
  Client* client = client_of(report.peer_id);
  if (client == nullptr) return;
  // Any authentic packet proves that the client lives, on the control channel too.
  const Duration patience = client->terms.ping_restart.value_or(config.timers.ping_restart);
  if (now.instant - client->channel.last_received() < patience) return;
  role.remove(*client, "ping-restart: nothing was heard from it", now);
}

void ControlPlane::State::handle(const PeerExited& report, Now now) {
  Client* client = client_of(report.peer_id);
  if (client == nullptr) return;
  role.take_leave(*client, "left: exit notification", now);
}

void ControlPlane::State::handle(const PeerFloated& report, Now now) {
  if (Client* client = client_of(report.peer_id)) judge.note_moved(*client, report.endpoint, now);
}

void ControlPlane::State::handle(const EndpointClaimed& report, Now now) {
  if (Client* client = client_of(report.peer_id)) judge.note_claimed(*client, report.endpoint, now);
}

void ControlPlane::set_last_heard(LastHeard last_heard) {
  state_->judge.set_last_heard(std::move(last_heard));
}

void ControlPlane::set_tokens(AuthTokens tokens) {
  state_->role.set_tokens(std::move(tokens), state_->random);
}

void ControlPlane::handle_traffic(PeerId peer, std::uint64_t bytes, Now now) {
  const std::uint64_t limit = state_->config.timers.renegotiate_bytes;
  Client* client = state_->client_of(peer);
  if (client == nullptr || limit == 0) return;
  if (bytes < client->bytes_at_renegotiation) client->bytes_at_renegotiation = 0;
  if (bytes - client->bytes_at_renegotiation < limit) return;
  client->bytes_at_renegotiation = bytes;
  client->channel.renegotiate(now);
  state_->role.serve(*client, now);
  state_->book.bury();
}

const std::set<PeerId>& ControlPlane::watched_peers() const { return state_->role.watched(); }

void ControlPlane::handle_activity(PeerId peer, std::uint64_t payload_bytes, Now now) {
  Client* client = state_->client_of(peer);
  if (client == nullptr || !client->activity) return;
  client->activity->note(payload_bytes, now.instant);
  if (!client->activity->is_idle(now.instant)) return;
  state_->role.send_away(*client, "inactive: too little went through its tunnel", now);
  state_->role.serve(*client, now);
  state_->book.bury();
}

void ControlPlane::handle_timeout(Now now) {
  while (Client* client = state_->book.take_due(now.instant)) {
    if (client->leave_at && *client->leave_at <= now.instant) {
      state_->role.remove(*client, client->is_unproven ? "did not go on" : "left", now);
      continue;
    }
    if (client->inquiry && client->inquiry->give_up_at &&
        *client->inquiry->give_up_at <= now.instant) {
      state_->role.give_up_inquiry(*client, now);
    }
    if (client->ends_at && *client->ends_at <= now.instant) {
      state_->role.send_away(*client, "session-timeout: its session has lasted as long as it may",
                             now);
    }
    if (client->token_due && *client->token_due <= now.instant) {
      state_->role.renew_token(*client, now);
    }
    client->channel.handle_timeout(now);
    state_->role.serve(*client, now);
  }
  state_->rotate_cookie_key(now);
  state_->book.bury();
}

void ControlPlane::handle_answer(QuestionId id, const PlaneAnswer& answer, Now now) {
  state_->role.handle_answer(id, answer, now);
  state_->book.bury();
}

void ControlPlane::handle_pending(QuestionId id, const AnswerPending& pending, Now now) {
  state_->role.handle_pending(id, pending, now);
  state_->book.bury();
}

std::optional<PlaneQuestion> ControlPlane::poll_question() { return state_->questions.poll(); }

std::optional<QuestionId> ControlPlane::poll_withdrawn_question() {
  return state_->questions.poll_withdrawn();
}

std::optional<Instant> ControlPlane::poll_timeout() const {
  std::optional<Instant> next = state_->book.next_deadline();
  if (!next || state_->next_cookie_key < *next) next = state_->next_cookie_key;
  if (state_->shutdown_started) {
    const Instant end = *state_->shutdown_started + kShutdownGrace;
    if (!next || end < *next) next = end;
  }
  return next;
}

std::optional<AddressedCommand> ControlPlane::poll_command() {
  while (const std::optional<ClientBook::News> news = state_->book.poll_news()) {
    std::visit([this](const auto& command) { state_->handoff.tell(command); }, *news);
  }
  return state_->handoff.poll();
}

std::optional<OutgoingDatagram> ControlPlane::poll_transmit(MutableBytes scratch, Now now) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  while (Client* client = state_->book.next_to_transmit()) {
    const std::optional<Bytes> datagram = client->channel.poll_transmit(scratch, now);
    if (datagram) return OutgoingDatagram{.to = client->endpoint, .bytes = *datagram};
    state_->book.transmit_done(*client);
  }
  const std::optional<LinkEndpoint> ended = state_->book.poll_ended_connection();
  if (!ended) return std::nullopt;
  return OutgoingDatagram{.to = *ended, .bytes = {}};
}

std::optional<PlaneEvent> ControlPlane::poll_event() { return state_->log.poll(); }

PushesChanged ControlPlane::change_pushes(std::vector<std::string> pushes, Now now) {
  return state_->role.change_pushes(std::move(pushes), now);
}

void ControlPlane::revoke(std::vector<RevokedCertificate> certificates, Now now) {
  state_->role.revoke(std::move(certificates), now);
  state_->book.bury();
}

void ControlPlane::say_goodbye_to_programs() {
  for (const ClientId id : state_->book.all()) state_->role.tell_programs(*state_->book.find(id));
}

void ControlPlane::begin_shutdown(Now now) {
  if (state_->shutdown_started) return;
  state_->shutdown_started = now.instant;
  state_->handoff.close_gates();
  for (const ClientId id : state_->book.all()) {
    Client* client = state_->book.find(id);
    if (client == nullptr) continue;
    if (!client->is_established()) {
      state_->role.remove(*client, "the server stops", now);
    } else if (state_->config.explicit_exit_notify > 0) {
      client->channel.send_message(
          state_->config.explicit_exit_notify > 1 ? "RESTART,[N]" : "RESTART", now);
      state_->role.serve(*client, now);
    }
  }
  state_->book.bury();
}

bool ControlPlane::is_shut_down(Now now) const {
  if (!state_->shutdown_started) return false;
  if (state_->config.explicit_exit_notify == 0) return true;
  if (now.instant - *state_->shutdown_started >= kShutdownGrace) return true;
  // Whoever has answered since then has acknowledged the message, or is gone.
  const std::vector<ClientId> ids = state_->book.all();
  return std::ranges::all_of(ids, [&](ClientId id) {
    const Client* client = std::as_const(state_->book).find(id);
    return !client->is_established() || client->channel.last_received() > *state_->shutdown_started;
  });
}

std::vector<ClientSummary> ControlPlane::clients() const {
  std::vector<ClientSummary> summaries;
  for (const ClientId id : state_->book.all()) {
    const Client* client = std::as_const(state_->book).find(id);
    if (client->stage != Stage::Connected) continue;
    summaries.push_back({.peer_id = client->peer_id,
                         .client_id = client->id.value,
                         .common_name = client->identity.common_name,
                         .username = client->identity.username,
                         .endpoint = client->endpoint,
                         .address_v4 = client->lease.v4,
                         .address_v6 = client->lease.v6,
                         .networks = networks_behind(*client),
                         .cipher = client->admission.cipher,
                         .connected_since = client->connected_since});
  }
  return summaries;
}

std::string ControlPlane::leases_text() const { return state_->role.pool().leases_text(); }

std::size_t ControlPlane::half_open_count() const { return state_->book.half_open_count(); }

ControlPlane::TableSizes ControlPlane::table_sizes() const {
  return {.channels = state_->book.size(),
          .endpoints = state_->book.endpoint_entry_count(),
          .questions = state_->questions.open_count(),
          .leases = state_->role.pool().in_use_count()};
}

const std::array<std::uint64_t, kDropCount>& ControlPlane::drops() const {
  state_->all_drops = state_->book.channel_drops();
  for (std::size_t i = 0; i < kDropCount; ++i) state_->all_drops[i] += state_->own_drops[i];
  return state_->all_drops;
}

}  // namespace ringway
