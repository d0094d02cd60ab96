#include <algorithm>
#include <utility>

#include "control/control_plane_state.h"
#include "control/push_options.h"

namespace ringway {
namespace {

/// How often the cookies get another key, and that at least so many slots have the same.
constexpr Duration kCookieKeyTime = 3600s;
constexpr std::int64_t kSlotsPerKeyMin = 2 * HandshakeCookie::kSlotsAccepted;
/// So long before its first slot all who need a key have it.
constexpr std::int64_t kSlotsAhead = 2;
/// The `verb` from which on debug lines are written.
constexpr int kDebugVerb = 4;

ChannelSettings channel_settings(const ServerConfig& config, bool is_tcp) {
  const TimerConfig& timers = config.timers;
  return {
      .side = Side::Server,
      .hand_window = timers.hand_window,
      .tran_window = timers.tran_window,
      .tls_timeout = timers.tls_timeout,
      .renegotiate = timers.renegotiate,
      .renegotiate_min = timers.renegotiate_min > Duration{0} ? timers.renegotiate_min
                                                              : timers.renegotiate / 10 * 9,
      .options = server_options_string(config, is_tcp),
  };
}

}  // namespace

ControlPlane::State::State(const ServerConfig& server_config, const TlsWrap& tls_wrap,
                           const TlsContext& tls_context, RandomSource& source,
                           std::uint16_t worker_count, std::string_view persisted_leases, Now now)
    : config(server_config),
      wrap(tls_wrap),
      tls(tls_context),
      random(source),
      udp_settings(channel_settings(server_config, false)),
      tcp_settings(channel_settings(server_config, true)),
      cookie(server_config.timers.hand_window),
      gate(tls_wrap, cookie, nullptr),
      book(source),
      handoff(worker_count),
      log(server_config.verb >= kDebugVerb),
      role(server_config, {.book = book, .handoff = handoff, .log = log, .questions = questions},
           worker_count, persisted_leases, now),
      judge(server_config.timers.ping,
            {.book = book, .handoff = handoff, .log = log, .role = role}) {
  // The first is good for the past, too.
  const CookieKey key = CookieKey::draw(random, 0);
  cookie.add_key(key);
  handoff.install_cookie_key(key);
  const Duration period = std::max(kCookieKeyTime, kSlotsPerKeyMin * cookie.slot());
  next_cookie_key = now.instant + period;
}

void ControlPlane::State::rotate_cookie_key(Now now) {
  if (now.instant < next_cookie_key) return;
  const CookieKey key = CookieKey::draw(random, cookie.slot_at(now.instant) + kSlotsAhead);
  cookie.add_key(key);
  handoff.install_cookie_key(key);
  next_cookie_key = now.instant + std::max(kCookieKeyTime, kSlotsPerKeyMin * cookie.slot());
}

/// A worker let it through: the sender has returned a cookie, or it has a key of its own and cannot
/// show it twice. That is checked once more here, so that nothing depends on what a worker knows,
/// and no key has to travel between threads. Answers are the workers' alone.
void ControlPlane::State::handle_stranger(Bytes datagram, const LinkEndpoint& from, Now now) {
  if (shutdown_started) return count(Drop::BadReset);
  // A connection has one client.
  if (from.is_tcp() && !book.at(from).empty()) return count(Drop::ForeignSession);
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch;
  GateVerdict verdict = gate.handle_datagram(datagram, from, now, scratch);

  if (const Drop* drop = std::get_if<Drop>(&verdict)) return judge_drop(*drop, from);
  if (std::holds_alternative<GateReply>(verdict)) return count(Drop::BadReset);
  const ChannelSettings& settings = from.is_tcp() ? tcp_settings : udp_settings;
  if (auto* const stranger = std::get_if<GateUnproven>(&verdict)) {
    if (is_proven_half_open_at(from)) return count(Drop::ForeignSession);
    limit_unproven(now);
    Newcomer newcomer{.is_unproven = true, .key_metadata = metadata_of(stranger->metadata)};
    return open_channel(
        ControlChannel::accept_unproven(settings, tls, random, std::move(*stranger), now),
        std::move(newcomer), datagram, from, now);
  }
  auto& proven = std::get<GateProven>(verdict);
  Newcomer newcomer;
  if (proven.client_key) newcomer.key_metadata = metadata_of(proven.metadata);
  open_channel(ControlChannel::accept(settings, wrap, tls, random, std::move(proven), now),
               std::move(newcomer), datagram, from, now);
}

/// Kept for the program that is asked about it, when the client has proven itself.
std::optional<std::string> ControlPlane::State::metadata_of(const KeyMetadata& metadata) const {
  if (!config.programs.client_key.is_set()) return std::nullopt;
  return std::string(text_of(metadata.view()));
}

/// Over TCP nobody forges a packet of somebody else's, nor loses one: a packet that is wrong is the
/// end of its connection, as with OpenVPN.
void ControlPlane::State::judge_drop(Drop drop, const LinkEndpoint& from) {
  count(drop);
  if (drop != Drop::RateLimited) book.end_connection(from);
}

/// The sender has shown that it receives at its address, or at least that it has a key that we
/// made. One half-open channel an endpoint: a newer proof replaces an older one, which would
/// otherwise squat there until its hand-window ends (security goal A14).
void ControlPlane::State::open_channel(ControlChannel channel, Newcomer newcomer, Bytes datagram,
                                       const LinkEndpoint& from, Now now) {
  remove_half_open_at(from, now);
  while (book.evictable_count() >= kHalfOpenMax) {
    count(Drop::HalfOpenLimit);
    role.remove(*book.next_evictable(), "made room for a newer handshake", now);
  }
  Client& client = book.open(from, std::move(channel), now.instant);
  client.key_metadata = std::move(newcomer.key_metadata);
  if (newcomer.is_unproven) {
    client.is_unproven = true;
    client.leave_at = now.instant + kUnprovenTime;
    unproven.push_back(client.id);
  }
  client.channel.handle_datagram(datagram, now);
  role.serve(client, now);
}

/// Makes room for one more; the oldest goes.
void ControlPlane::State::limit_unproven(Now now) {
  std::erase_if(unproven, [&](ClientId id) {
    const Client* client = book.find(id);
    return client == nullptr || !client->is_unproven;
  });
  if (unproven.size() < kUnprovenMax) return;
  count(Drop::HalfOpenLimit);
  role.remove(*book.find(unproven.front()), "made room for a newer handshake", now);
  unproven.pop_front();
}

void ControlPlane::State::note_proof(Client& client) {
  if (!client.is_unproven || !client.channel.is_proven()) return;
  client.is_unproven = false;
  client.leave_at.reset();
}

/// Whoever has returned a cookie there, and may still be let in, is not taken away by somebody who
/// has shown no address: what such a reset says can be recorded, and sent in any name.
bool ControlPlane::State::is_proven_half_open_at(const LinkEndpoint& from) const {
  return std::ranges::any_of(book.at(from), [this](ClientId id) {
    const Client* const client = book.find(id);
    return client != nullptr && !client->is_established() && !client->is_unproven &&
           client->stage != Client::Stage::Leaving;
  });
}

void ControlPlane::State::remove_half_open_at(const LinkEndpoint& from, Now now) {
  for (const ClientId id : book.at(from)) {
    Client* client = book.find(id);
    if (client == nullptr || client->is_established()) continue;
    role.remove(*client, "replaced by a newer handshake", now);
  }
}

}  // namespace ringway
