#include "control/control_plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/check.h"
#include "base/opcode.h"
#include "control/client_book.h"
#include "control/key_handoff.h"
#include "control/plane_log.h"
#include "control/push_options.h"
#include "control/server_role.h"
#include "dataplane/admission/handshake_cookie.h"
#include "dataplane/admission/handshake_gate.h"

namespace ringway {

namespace {

using Stage = Client::Stage;

/// Stateless replies that wait for poll_transmit(); the shell drains it every few datagrams.
constexpr std::size_t kRepliesMax = 1024;
/// How often a reset that comes from a connected client's endpoint is answered (security goal A15).
constexpr Duration kResetAnswerMin = 1s;
/// How long clients have to acknowledge RESTART when the server stops (security goal R23).
constexpr Duration kShutdownGrace = 1500ms;

struct GateAnswer {
  LinkEndpoint to;
  std::vector<std::uint8_t> datagram;
};

ChannelSettings channel_settings(const ServerConfig& config) {
  const TimerConfig& timers = config.timers;
  return {
      .side = Side::Server,
      .hand_window = timers.hand_window,
      .tran_window = timers.tran_window,
      .tls_timeout = timers.tls_timeout,
      .renegotiate = timers.renegotiate,
      .renegotiate_min = timers.renegotiate_min > Duration{0} ? timers.renegotiate_min
                                                              : timers.renegotiate / 10 * 9,
      .options = server_options_string(config),
  };
}

ReplyLimit reply_limit(const ServerConfig& config) {
  if (config.connect_freq_initial_count == 0) return {};
  return {.count = config.connect_freq_initial_count, .period = config.connect_freq_initial_period};
}

/// The sender's session id stands behind the first byte, whatever the wrapping.
SessionId claimed_session(Bytes datagram) {
  SessionId session;
  std::ranges::copy(datagram.subspan(1, SessionId::kSize), session.bytes.begin());
  return session;
}

bool is_client_reset(Bytes datagram) {
  const Opcode opcode = opcode_of(datagram[0]);
  return opcode == Opcode::HardResetClientV2 || opcode == Opcode::HardResetClientV3;
}

}  // namespace

struct ControlPlane::State {
  State(const ServerConfig& server_config, const TlsWrap& tls_wrap, const TlsContext& tls_context,
        RandomSource& source, std::uint16_t worker_count, std::string_view persisted_leases,
        Now now)
      : config(server_config),
        wrap(tls_wrap),
        tls(tls_context),
        random(source),
        settings(channel_settings(server_config)),
        cookie(source, server_config.timers.hand_window),
        gate(tls_wrap, cookie, reply_limit(server_config)),
        book(source),
        handoff(worker_count),
        role(server_config, {.book = book, .handoff = handoff, .log = log}, worker_count,
             persisted_leases, now) {}

  void handle_stranger(Bytes datagram, const LinkEndpoint& from, Now now);
  void open_channel(GateProven proven, Bytes datagram, const LinkEndpoint& from, Now now);
  Client* established_at(const Endpoint& remote);
  void remove_half_open_at(const Endpoint& remote, Now now);
  Client* client_of(PeerId peer);
  void handle(const KeyWearingOut& report, Now now);
  void handle(const PeerIdle& report, Now now);
  void handle(const PeerExited& report, Now now);
  void count(Drop drop) { ++own_drops[static_cast<std::size_t>(drop)]; }

  const ServerConfig& config;
  const TlsWrap& wrap;
  const TlsContext& tls;
  RandomSource& random;
  ChannelSettings settings;
  HandshakeCookie cookie;
  HandshakeGate gate;
  ClientBook book;
  KeyHandoff handoff;
  PlaneLog log;
  ServerRole role;
  std::deque<GateAnswer> answers;
  std::array<std::uint64_t, kDropCount> own_drops{};
  mutable std::array<std::uint64_t, kDropCount> all_drops{};
  std::optional<Instant> shutdown_started;
};

ControlPlane::ControlPlane(const ServerConfig& config, const TlsWrap& wrap, const TlsContext& tls,
                           RandomSource& random, std::uint16_t worker_count,
                           std::string_view persisted_leases, Now now)
    : state_(std::make_unique<State>(config, wrap, tls, random, worker_count, persisted_leases,
                                     now)) {}

ControlPlane::~ControlPlane() = default;

void ControlPlane::handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now) {
  if (datagram.size() < 1 + SessionId::kSize) return state_->count(Drop::Truncated);
  if (datagram.size() > kDatagramSizeMax) return state_->count(Drop::Oversize);

  if (Client* client = state_->book.find(from.remote, claimed_session(datagram))) {
    client->channel.handle_datagram(datagram, now);
    state_->role.serve(*client, now);
  } else {
    state_->handle_stranger(datagram, from, now);
  }
  state_->book.bury();
}

bool ControlPlane::serves(Bytes datagram, const LinkEndpoint& from) const {
  if (datagram.size() < 1 + SessionId::kSize) return false;
  const Client* client = state_->book.find(from.remote, claimed_session(datagram));
  return client != nullptr && client->is_established();
}

void ControlPlane::State::handle_stranger(Bytes datagram, const LinkEndpoint& from, Now now) {
  if (shutdown_started) return count(Drop::BadReset);
  if (answers.size() >= kRepliesMax) return count(Drop::RateLimited);

  Client* resident = is_client_reset(datagram) ? established_at(from.remote) : nullptr;
  if (resident != nullptr && resident->reset_answered_at &&
      now.instant - *resident->reset_answered_at < kResetAnswerMin) {
    return count(Drop::RateLimited);
  }
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch;
  const GateVerdict verdict = gate.handle_datagram(datagram, from, now, scratch);

  if (const Drop* drop = std::get_if<Drop>(&verdict)) return count(*drop);
  if (const GateReply* reply = std::get_if<GateReply>(&verdict)) {
    if (resident != nullptr) resident->reset_answered_at = now.instant;
    answers.push_back({.to = from, .datagram = {reply->datagram.begin(), reply->datagram.end()}});
    return;
  }
  open_channel(std::get<GateProven>(verdict), datagram, from, now);
}

/// The sender has shown that it receives at its address. One half-open channel an endpoint: a newer
/// proof replaces an older one, which would otherwise squat there until its hand-window ends
/// (security goal A14).
void ControlPlane::State::open_channel(GateProven proven, Bytes datagram, const LinkEndpoint& from,
                                       Now now) {
  remove_half_open_at(from.remote, now);
  while (book.evictable_count() >= kHalfOpenMax) {
    count(Drop::HalfOpenLimit);
    role.remove(*book.oldest_evictable(), "made room for a newer handshake", now);
  }
  Client& client = book.open(from, ControlChannel::accept(settings, wrap, tls, random, proven, now),
                             now.instant);
  client.channel.handle_datagram(datagram, now);
  role.serve(client, now);
}

Client* ControlPlane::State::established_at(const Endpoint& remote) {
  for (const ClientId id : book.at(remote)) {
    Client* client = book.find(id);
    if (client != nullptr && client->is_established()) return client;
  }
  return nullptr;
}

void ControlPlane::State::remove_half_open_at(const Endpoint& remote, Now now) {
  for (const ClientId id : book.at(remote)) {
    Client* client = book.find(id);
    if (client == nullptr || client->is_established()) continue;
    role.remove(*client, "replaced by a newer handshake", now);
  }
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
  if (now.instant - client->channel.last_received() < config.timers.ping_restart) return;
  role.remove(*client, "ping-restart: nothing was heard from it", now);
}

void ControlPlane::State::handle(const PeerExited& report, Now now) {
  Client* client = client_of(report.peer_id);
  if (client == nullptr) return;
  role.take_leave(*client, "left: exit notification", now);
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

void ControlPlane::handle_timeout(Now now) {
  while (Client* client = state_->book.take_due(now.instant)) {
    if (client->leave_at && *client->leave_at <= now.instant) {
      state_->role.remove(*client, "left", now);
      continue;
    }
    client->channel.handle_timeout(now);
    state_->role.serve(*client, now);
  }
  state_->book.bury();
}

std::optional<Instant> ControlPlane::poll_timeout() const {
  std::optional<Instant> next = state_->book.next_deadline();
  if (state_->shutdown_started) {
    const Instant end = *state_->shutdown_started + kShutdownGrace;
    if (!next || end < *next) next = end;
  }
  return next;
}

std::optional<AddressedCommand> ControlPlane::poll_command() { return state_->handoff.poll(); }

std::optional<OutgoingDatagram> ControlPlane::poll_transmit(MutableBytes scratch, Now now) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  while (Client* client = state_->book.next_to_transmit()) {
    const std::optional<Bytes> datagram = client->channel.poll_transmit(scratch, now);
    if (datagram) return OutgoingDatagram{.to = client->endpoint, .bytes = *datagram};
    state_->book.transmit_done(*client);
  }
  if (state_->answers.empty()) return std::nullopt;

  const GateAnswer& answer = state_->answers.front();
  const OutgoingDatagram out{.to = answer.to, .bytes = scratch.first(answer.datagram.size())};
  std::ranges::copy(answer.datagram, scratch.begin());
  state_->answers.pop_front();
  return out;
}

std::optional<PlaneEvent> ControlPlane::poll_event() { return state_->log.poll(); }

void ControlPlane::revoke(std::vector<RevokedCertificate> certificates, Now now) {
  state_->role.revoke(std::move(certificates), now);
  state_->book.bury();
}

void ControlPlane::begin_shutdown(Now now) {
  if (state_->shutdown_started) return;
  state_->shutdown_started = now.instant;
  state_->answers.clear();
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
                         .cipher = client->admission.cipher,
                         .connected_since = client->connected_since});
  }
  return summaries;
}

std::string ControlPlane::leases_text() const { return state_->role.pool().leases_text(); }

std::size_t ControlPlane::half_open_count() const { return state_->book.half_open_count(); }

const std::array<std::uint64_t, kDropCount>& ControlPlane::drops() const {
  state_->all_drops = state_->book.channel_drops();
  for (std::size_t i = 0; i < kDropCount; ++i) state_->all_drops[i] += state_->own_drops[i];
  return state_->all_drops;
}

}  // namespace ringway
