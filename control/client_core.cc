#include "control/client_core.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/check.h"
#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"
#include "control/client_push.h"
#include "dataplane/channel/session.h"

namespace ringway {
namespace {

using Cause = ClientDisconnected::Cause;

/// The largest inner packet that the core and its buffers take; stock clients announce the same.
constexpr std::uint16_t kTunMtuMax = 1600;

constexpr std::uint32_t bits(std::initializer_list<ProtoBit> wanted) {
  std::uint32_t all = 0;
  for (const ProtoBit bit : wanted) all |= static_cast<std::uint32_t>(bit);
  return all;
}

/// Only what is really done: a server acts on every bit.
constexpr std::uint32_t kProto =
    bits({ProtoBit::DataV2, ProtoBit::RequestPush, ProtoBit::TlsKeyExport,
          ProtoBit::AuthPendingKeywords, ProtoBit::ExitNotify});

bool offers(std::span<const DataCipher> ciphers, DataCipher wanted) {
  return std::ranges::find(ciphers, wanted) != ciphers.end();
}

PeerInfo complete(PeerInfo info, std::span<const DataCipher> ciphers) {
  const auto set_if_missing = [&](std::string name, std::string value) {
    if (!info.find(name)) info.set(std::move(name), std::move(value));
  };
  set_if_missing("IV_VER", "ringway_" RINGWAY_VERSION);
  set_if_missing("IV_PLAT", "linux");
  set_if_missing("IV_PROTO", std::to_string(kProto));
  if (offers(ciphers, DataCipher::Aes128Gcm) && offers(ciphers, DataCipher::Aes256Gcm)) {
    set_if_missing("IV_NCP", "2");
  }
  set_if_missing("IV_CIPHERS", cipher_list_text(ciphers));
  set_if_missing("IV_MTU", std::to_string(kTunMtuMax));
  return info;
}

ClientSettings complete(ClientSettings settings, const TlsWrap& wrap) {
  ChannelSettings& channel = settings.channel;
  channel.side = Side::Client;
  channel.peer_info = complete(std::move(channel.peer_info), settings.data_ciphers);
  if (channel.options.empty()) {
    const OptionsString options{.side = Side::Client,
                                .tls_auth = wrap.is_tls_auth(),
                                .key_direction = wrap.key_direction()};
    channel.options = options.to_string();
  }
  return settings;
}

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

/// The life of a core: connecting, connected (session_ exists), leaving (leave_by_ is set), over.
struct ClientCore::State {
  State(const ClientSettings& given, const TlsWrap& wrap, const TlsContext& tls,
        RandomSource& random, Now now)
      : settings(complete(given, wrap)),
        channel(ControlChannel::connect(settings.channel, wrap, tls, random, now)) {}

  // One function per ControlEvent.
  void handle(const AuthRequested&, Now) {}  // Servers only; so are the next two.
  void handle(const ControlActive&, Now) {}
  void handle(const PushRequested&, Now) {}
  void handle(const PushReceived& event, Now now);
  void handle(const KeysReady& event, Now now);
  void handle(const Renegotiated& event, Now now);
  void handle(const PeerLeft& event, Now now);
  void handle(const AuthFailed& event, Now now);
  void handle(const MessageReceived&, Now) {}  // INFO and the like mean nothing to a core.
  void handle(const Closed& event, Now now);

  void drain_channel(Now now);
  std::optional<ClientPacket> handle_data(MutableBytes datagram, Now now);
  void renegotiate_if_worn(Now now);
  std::optional<Bytes> seal_in_band(Bytes message, MutableBytes scratch, Instant now);
  void finish(std::string reason, Cause cause);
  void count(Drop drop) { ++drops[static_cast<std::size_t>(drop)]; }

  ClientSettings settings;
  ControlChannel channel;
  /// The first negotiation's, kept until its keys are there.
  std::optional<PushReply> reply;
  std::optional<ClientPush> push;
  std::optional<Session> session;
  bool connected = false;
  bool over = false;
  /// Set by leave().
  std::optional<Instant> leave_by;
  /// Goodbyes still to be said on the data channel, and when the next is due.
  unsigned goodbyes = 0;
  Instant goodbye_due;
  std::deque<ClientEvent> events;
  std::array<std::uint64_t, kDropCount> drops{};
};

ClientCore::ClientCore(const ClientSettings& settings, const TlsWrap& wrap, const TlsContext& tls,
                       RandomSource& random, Now now)
    : state_(std::make_unique<State>(settings, wrap, tls, random, now)) {}
ClientCore::~ClientCore() = default;
ClientCore::ClientCore(ClientCore&&) noexcept = default;

std::optional<ClientPacket> ClientCore::handle_datagram(MutableBytes datagram, Now now) {
  if (state_->over || datagram.empty()) return std::nullopt;
  if (is_data(opcode_of(datagram.front()))) return state_->handle_data(datagram, now);

  state_->channel.handle_datagram(datagram, now);
  // Whatever is authentic shows that the server lives, also on the control channel.
  if (state_->session) {
    state_->session->ping_timer().note_received(
        std::max(state_->channel.last_received(), state_->session->ping_timer().last_received()));
  }
  state_->drain_channel(now);
  return std::nullopt;
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
    return std::nullopt;
  }
  if (opened->kind != PayloadKind::Packet) return std::nullopt;
  return ClientPacket{opened->payload};
}

std::size_t ClientCore::seal_overhead() const {
  RW_ASSERT(is_connected());
  return state_->session->seal_overhead();
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
  return *sealed;
}

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
  state.session->keys().expire(now.instant);
  if (state.session->ping_timer().take_idle_notice(now.instant)) {
    state.finish("nothing came from the server for too long (ping-restart)", Cause::Silence);
  }
}

std::optional<Instant> ClientCore::poll_timeout() const {
  State& state = *state_;
  if (state.over) return std::nullopt;
  std::optional<Instant> next = state.channel.poll_timeout();
  next = earlier(next, state.leave_by);
  if (state.goodbyes > 0) next = earlier(next, state.goodbye_due);
  if (state.session) {
    next = earlier(next, state.session->ping_timer().deadline());
    next = earlier(next, state.session->keys().expires_at());
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

void ClientCore::leave(Now now) {
  State& state = *state_;
  if (state.over || state.leave_by) return;
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

bool ClientCore::is_connected() const { return state_->connected && !state_->over; }

PeerId ClientCore::peer_id() const { return state_->connected ? state_->push->peer_id : PeerId{}; }

std::array<std::uint64_t, kDropCount> ClientCore::drops() const {
  std::array<std::uint64_t, kDropCount> sum = state_->drops;
  for (std::size_t i = 0; i < kDropCount; ++i) sum[i] += state_->channel.drops()[i];
  return sum;
}

/// Keys are installed here, and so before anything that tells the server of them is sent.
void ClientCore::State::drain_channel(Now now) {
  while (!over) {
    const auto event = channel.poll_event();
    if (!event) return;
    std::visit([&](const auto& what) { handle(what, now); }, *event);
  }
}

void ClientCore::State::handle(const PushReceived& event, Now now) {
  if (push) return;
  const auto read = ClientPush::read(event.reply, settings.data_ciphers,
                                     {.ping_interval = settings.ping_interval,
                                      .ping_restart = settings.ping_restart,
                                      .exit_notify_count = settings.exit_notify_count});
  if (!read) return finish(read.error(), Cause::Failed);
  reply = event.reply;
  push = *read;
  channel.apply_push(push->admission, now);
}

void ClientCore::State::handle(const KeysReady& event, Now now) {
  if (!push) return;
  if (!session) session.emplace(push->peer_id, LinkEndpoint{}, push->session, now.instant);
  if (settings.engines != nullptr) {
    session->keys().install(event.keys, *settings.engines);
  } else {
    session->keys().install(event.keys);
  }
  if (connected) return;
  connected = true;
  events.emplace_back(ClientConnected{std::exchange(reply, std::nullopt).value_or(PushReply{})});
}

void ClientCore::State::handle(const Renegotiated& event, Now) {
  if (!event.succeeded || !session) return;
  session->keys().confirm(event.key_id);
  events.emplace_back(ClientRekeyed{event.key_id});
}

void ClientCore::State::handle(const PeerLeft& event, Now) {
  const bool halts = event.message.starts_with("HALT");
  finish(event.message, halts ? Cause::ServerHalt : Cause::ServerRestart);
}

void ClientCore::State::handle(const AuthFailed& event, Now) {
  finish(event.reason, Cause::AuthFailed);
}

void ClientCore::State::handle(const Closed& event, Now) {
  finish(event.reason, leave_by ? Cause::Left : Cause::Failed);
}

void ClientCore::State::renegotiate_if_worn(Now now) {
  if (session->keys().take_worn_key()) channel.renegotiate(now);
}

void ClientCore::State::finish(std::string reason, Cause cause) {
  over = true;
  events.emplace_back(ClientDisconnected{std::move(reason), cause});
}

}  // namespace ringway
