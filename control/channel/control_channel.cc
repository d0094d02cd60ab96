#include "control/channel/control_channel.h"

#include <utility>

#include "base/check.h"
#include "control/channel/control_channel_state.h"
#include "dataplane/admission/early_negotiation.h"

namespace ringway {
namespace {

SessionId draw_session_id(RandomSource& random) {
  SessionId id;
  do {
    random.fill(id.bytes);
  } while (id.is_zero());
  return id;
}

/// Taken once and kept, so that the peer sees one window of replay ids.
ReplayCounter counter_from(std::uint32_t first_id, Now now) {
  return ReplayCounter(first_id, static_cast<std::uint32_t>(now.wall.seconds));
}

}  // namespace

ControlChannel ControlChannel::accept(const ChannelSettings& settings, const TlsWrap& wrap,
                                      const TlsContext& tls, RandomSource& random,
                                      GateProven proven, Now now) {
  RW_ASSERT(settings.side == Side::Server);
  std::unique_ptr<TlsWrap> own_wrap;
  if (proven.client_key) {
    own_wrap = std::make_unique<TlsWrap>(TlsWrap::with_client_key(*proven.client_key));
  }
  const TlsWrap& used = own_wrap ? *own_wrap : wrap;
  // The stateless reply was sent under id 1.
  auto state =
      std::make_unique<State>(settings, tls, random, used,
                              ControlWire(used, proven.local, proven.remote, counter_from(2, now)));
  state->own_wrap = std::move(own_wrap);
  state->last_received = now.instant;
  state->current = state->begin(KeyId{0}, std::nullopt, now);
  return ControlChannel(std::move(state));
}

ControlChannel ControlChannel::accept_unproven(const ChannelSettings& settings,
                                               const TlsContext& tls, RandomSource& random,
                                               GateUnproven client, Now now) {
  RW_ASSERT(settings.side == Side::Server);
  auto own_wrap = std::make_unique<TlsWrap>(TlsWrap::with_client_key(client.client_key));
  auto state = std::make_unique<State>(
      settings, tls, random, *own_wrap,
      ControlWire(*own_wrap, draw_session_id(random), client.remote, counter_from(1, now)));
  state->own_wrap = std::move(own_wrap);
  state->last_received = now.instant;
  state->current = state->begin(KeyId{0}, Opcode::HardResetServerV2, now);
  return ControlChannel(std::move(state));
}

ControlChannel ControlChannel::connect(const ChannelSettings& settings, const TlsWrap& wrap,
                                       const TlsContext& tls, RandomSource& random, Now now) {
  RW_ASSERT(settings.side == Side::Client);
  auto state = std::make_unique<State>(
      settings, tls, random, wrap,
      ControlWire(wrap, draw_session_id(random), std::nullopt,
                  counter_from(wrap.wrapped_key().empty() ? 1 : kEarlyNegotiationStart, now)));
  state->last_received = now.instant;
  state->current = state->begin(KeyId{0}, Opcode::HardResetClientV2, now);
  return ControlChannel(std::move(state));
}

ControlChannel::ControlChannel(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlChannel::ControlChannel(ControlChannel&&) noexcept = default;
ControlChannel::~ControlChannel() = default;

void ControlChannel::handle_datagram(Bytes datagram, Now now) {
  state_->handle_datagram(datagram, now);
}
void ControlChannel::handle_timeout(Now now) { state_->handle_timeout(now); }
std::optional<Instant> ControlChannel::poll_timeout() const { return state_->poll_timeout(); }
std::optional<Bytes> ControlChannel::poll_transmit(MutableBytes scratch, Now now) {
  return state_->poll_transmit(scratch, now);
}

std::optional<ControlEvent> ControlChannel::poll_event() {
  if (state_->events.empty()) return std::nullopt;
  ControlEvent event = std::move(state_->events.front());
  state_->events.pop_front();
  return event;
}

void ControlChannel::admit(const Admission& admission, Now now) { state_->admit(admission, now); }
void ControlChannel::reject(std::string_view reason, Now now) { state_->reject(reason, now); }
void ControlChannel::apply_push(const Admission& admission, Now now) {
  state_->apply_push(admission, now);
}
void ControlChannel::set_login(SharedLogin login, Now now) {
  state_->set_login(std::move(login), now);
}
void ControlChannel::keep_token(SharedLogin token, Now now) {
  state_->settings.forgets_login = false;
  state_->set_login(std::move(token), now);
}
void ControlChannel::send_message(std::string_view text, Now now) {
  state_->send_message(text, now);
}
void ControlChannel::send_push_update(const std::vector<std::string>& options, Now now) {
  for (const std::string& message : encode_push_update(options)) {
    state_->send_message(message, now);
  }
}

void ControlChannel::send_push_reply(const PushReply& reply, Now now) {
  state_->send_push_reply(reply, now);
}
void ControlChannel::renegotiate(Now now) { state_->renegotiate(now); }

bool ControlChannel::is_established() const { return state_->established; }
bool ControlChannel::is_proven() const { return state_->wire.is_proven(); }
SessionId ControlChannel::local_session() const { return state_->wire.local(); }
SessionId ControlChannel::remote_session() const { return state_->wire.remote(); }
std::string ControlChannel::tls_description() const { return state_->tls_text; }
Instant ControlChannel::last_received() const { return state_->last_received; }
const std::array<std::uint64_t, kDropCount>& ControlChannel::drops() const { return state_->drops; }

}  // namespace ringway
