#include <algorithm>
#include <utility>

#include "control/channel/control_channel_state.h"

namespace ringway {
namespace {

constexpr std::string_view kCredentialsTooLong =
    "Username or password is too long. Maximum length is 4095 bytes";

}  // namespace

std::unique_ptr<KeyNegotiation> ControlChannel::State::begin(KeyId key_id,
                                                             std::optional<Opcode> reset, Now now) {
  last_begun = now.instant;
  return std::make_unique<KeyNegotiation>(
      KeyNegotiation::Setup{
          .settings = settings,
          .tls = tls_context,
          .random = random_source,
          .options = options,
          .payload_size_max = wire.payload_size_max(settings.packet_size_max, key_id),
          .key_id = key_id,
          .reset = reset},
      now);
}

KeyNegotiation* ControlChannel::State::find(KeyId key_id) {
  for (KeyNegotiation* const negotiation : negotiations()) {
    if (negotiation != nullptr && negotiation->key_id() == key_id) return negotiation;
  }
  return nullptr;
}

/// The peer counts its negotiations as we do, but one that we never saw may have failed on its end,
/// so any id that is not in use is taken. Id 0 is only ever the first of a session.
KeyNegotiation* ControlChannel::State::answer_soft_reset(const ControlPacket& packet, Now now) {
  if (packet.opcode != Opcode::SoftResetV1 || packet.message_id != MessageId{0}) return nullptr;
  if (!established || !current->has_keys() || next != nullptr || rejected) return nullptr;
  if (packet.key_id == KeyId{0} || now.instant - last_begun < kRenegotiationGap) return nullptr;
  next = begin(packet.key_id, Opcode::SoftResetV1, now);
  return next.get();
}

void ControlChannel::State::renegotiate(Now now) {
  // First of all: a deadline that stays in the past would keep the owner's loop spinning.
  renegotiate_at.reset();
  if (closed || !established || next != nullptr || rejected) return;
  KeyId key_id = last_key_id.next();
  // An id whose packets would be taken for those of a negotiation that still lives.
  while (find(key_id) != nullptr) key_id = key_id.next();
  next = begin(key_id, Opcode::SoftResetV1, now);
}

/// Both key exchange messages of `negotiation` may just have been exchanged.
void ControlChannel::State::settle_exchange(KeyNegotiation& negotiation, Now now) {
  auto exchange = negotiation.take_peer_exchange();
  if (!exchange) return;
  tls_text = negotiation.tls_description();
  if (settings.side == Side::Client) {
    // The first waits for apply_push(); later ones keep what was decided then.
    if (admission) derive(negotiation, now);
    return;
  }
  if (rejected) return;
  if (exchange->bad_credentials) return reject(kCredentialsTooLong, now);
  events.push_back(AuthRequested{.key_id = negotiation.key_id(),
                                 .certificate = negotiation.peer_certificate(),
                                 .username = std::move(exchange->username),
                                 .password = std::move(exchange->password),
                                 .peer_info = PeerInfo::parse(exchange->peer_info),
                                 .options = std::move(exchange->options)});
}

/// Only the newest negotiation may be waiting for a login, or have sent one that nobody has
/// forgotten yet.
void ControlChannel::State::look_after_login(KeyNegotiation& negotiation) {
  if (!settings.forgets_login) return;
  if (negotiation.awaits_login()) {
    if (!std::exchange(login_asked_for, true)) events.push_back(LoginWanted{});
  } else if (negotiation.has_sent_login()) {
    settings.login.reset();
    login_asked_for = false;
  }
}

void ControlChannel::State::set_login(SharedLogin login, Now now) {
  settings.login = std::move(login);
  if (closed) return;
  KeyNegotiation& newest = next != nullptr ? *next : *current;
  newest.proceed(now);
  settle(now);
}

void ControlChannel::State::admit(const Admission& verdict, Now now) {
  if (closed || rejected) return;
  KeyNegotiation* const negotiation = next != nullptr ? next.get() : current.get();
  if (!negotiation->awaits_keys()) return;
  // Fixed with the first negotiation: a peer cannot talk us down later (security goal B04).
  if (!admission) admission = verdict;
  derive(*negotiation, now);
  settle(now);
}

void ControlChannel::State::derive(KeyNegotiation& negotiation, Now now) {
  const bool is_server = settings.side == Side::Server;
  const SessionPair sessions{.client = is_server ? wire.remote() : wire.local(),
                             .server = is_server ? wire.local() : wire.remote()};
  auto keys = negotiation.derive_keys(*admission, sessions);
  if (!keys) return;

  // A renegotiated key rests until the peer has surely finished, too.
  Duration rest{0};
  if (established) {
    rest = settings.hand_window;
    if (settings.renegotiate > Duration{0}) rest = std::min(rest, settings.renegotiate / 2);
  }
  keys->send_from = negotiation.started() + rest;
  keys->previous_expires_at = negotiation.started() + settings.tran_window;
  events.push_back(KeysReady{.keys = std::move(*keys)});
  if (std::exchange(established, true)) return;
  begin_dynamic_wrap(negotiation, now);
  schedule_renegotiation();
}

/// From the first negotiation's secret, once, for all later ones (docs/WIRE.md 3.7). The whole
/// static key is mixed in, also where only a part of it was in use.
void ControlChannel::State::begin_dynamic_wrap(const KeyNegotiation& negotiation, Now now) {
  if (!admission->dynamic_tls_crypt) return;
  std::optional<KeyBlock> key = negotiation.export_wrap_key();
  if (!key) return;
  if (const StaticKey* const first = first_wrap.key()) {
    const MutableBytes mixed = key->mutable_bytes();
    for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] ^= first->bytes()[i];
  }
  wire.protect_renegotiations(StaticKey::from_bytes(key->bytes()), settings.side,
                              static_cast<std::uint32_t>(now.wall.seconds));
}

/// When the negotiation that began last is to be replaced.
void ControlChannel::State::schedule_renegotiation() {
  renegotiate_at.reset();
  if (settings.renegotiate <= Duration{0}) return;
  Duration after = settings.renegotiate;
  if (settings.side == Side::Server && settings.renegotiate_min < settings.renegotiate) {
    // Thousands of clients that a restart brought in at once shall not come back all at once.
    const Duration least = std::max(settings.renegotiate_min, Duration{0});
    const auto spread = static_cast<std::uint64_t>((settings.renegotiate - least).count());
    after = least + Duration{static_cast<std::int64_t>(random_below(random_source, spread + 1))};
  }
  renegotiate_at = last_begun + after;
}

void ControlChannel::State::settle_current(Now now) {
  if (current->is_active() && !active_announced) {
    active_announced = true;
    events.push_back(ControlActive{});
    if (settings.side == Side::Client) begin_pull(now);
  }
  if (!current->has_failed()) return;
  if (established && !rejected) {
    // The tunnel has its keys, only the talk about it is broken: a renegotiation mends that.
    renegotiate(now);
    return;
  }
  if (!close_at) {
    closing_reason = current->failure();
    close_at = now.instant + kAlertGrace;
  }
  if (current->all_acknowledged()) close(closing_reason);
}

void ControlChannel::State::settle_next(Now now) {
  if (next->has_failed()) return abandon_next(now);
  if (next->is_active() && next->has_keys()) promote_next(now);
}

/// The keys in use stay as they are, but not for ever: a peer that never answers, or whose
/// certificate is no longer good, has tran-window to finish a renegotiation. Where the peer was
/// heard, it has counted this KeyId as used, and is due an alert; otherwise the same id is taken
/// for the next attempt.
void ControlChannel::State::abandon_next(Now now) {
  events.push_back(Renegotiated{.key_id = next->key_id(), .succeeded = false});
  login_asked_for = false;
  if (!must_rekey_by) must_rekey_by = next->started() + settings.tran_window;
  if (next->was_heard()) {
    last_key_id = next->key_id();
    retire(std::move(next), now.instant + kAlertGrace);
  }
  next.reset();
  if (current->has_failed()) return close(current->failure());
  // Also without a schedule of our own: a worn key's only notice may have started this one.
  renegotiate_at = now.instant + settings.hand_window;
}

void ControlChannel::State::promote_next(Now now) {
  retire(std::move(current), now.instant + settings.hand_window);
  current = std::move(next);
  last_key_id = current->key_id();
  must_rekey_by.reset();
  schedule_renegotiation();
  events.push_back(Renegotiated{.key_id = current->key_id(), .succeeded = true});
}

void ControlChannel::State::retire(std::unique_ptr<KeyNegotiation> negotiation, Instant until) {
  retired[1] = std::move(retired[0]);
  retired[0] = {.negotiation = std::move(negotiation), .until = until};
}

}  // namespace ringway
