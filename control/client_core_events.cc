#include <algorithm>
#include <utility>

#include "control/channel/cipher_negotiation.h"
#include "control/channel/options_string.h"
#include "control/client_core_state.h"

/// What a client announces, and what it does when its control channel says something.
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
          ProtoBit::AuthPendingKeywords, ProtoBit::ExitNotify, ProtoBit::AuthFailedTemp,
          ProtoBit::DynamicTlsCrypt, ProtoBit::DataEpoch, ProtoBit::PushUpdate});

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
  set_if_missing(std::string(kEcnPeerInfo), "1");
  return info;
}

ClientSettings complete(ClientSettings settings, const TlsWrap& wrap) {
  ChannelSettings& channel = settings.channel;
  channel.side = Side::Client;
  channel.peer_info = complete(std::move(channel.peer_info), settings.data_ciphers);
  if (channel.options.empty()) {
    const OptionsString options{.side = Side::Client,
                                .is_tcp = settings.path == PathKind::Stream,
                                .tls_auth = wrap.is_tls_auth(),
                                .key_direction = wrap.key_direction()};
    channel.options = options.to_string();
  }
  return settings;
}

}  // namespace

ClientCore::State::State(const ClientSettings& given, const TlsWrap& wrap, const TlsContext& tls,
                         RandomSource& random, Now now)
    : settings(complete(given, wrap)),
      channel(ControlChannel::connect(settings.channel, wrap, tls, random, now)) {
  if (settings.channel.login) username = settings.channel.login->username;
  // The channel has it, and knows when to forget it.
  settings.channel.login.reset();
}

/// Keys are installed here, and so before anything that tells the server of them is sent.
void ClientCore::State::drain_channel(Now now) {
  while (!over) {
    const auto event = channel.poll_event();
    if (!event) return;
    std::visit([&](const auto& what) { handle(what, now); }, *event);
  }
}

std::expected<ClientPush, std::string> ClientCore::State::read_push(const PushReply& pushed) const {
  PushReply counted = pushed;
  if (settings.ignores_push) std::erase_if(counted.options, settings.ignores_push);
  return ClientPush::read(counted, settings.data_ciphers,
                          {.ping_interval = settings.ping_interval,
                           .ping_restart = settings.ping_restart,
                           .ping_exits = settings.ping_exits,
                           .lifetime = settings.lifetime,
                           .exit_notify_count = settings.exit_notify_count,
                           .copies_dscp = settings.copies_dscp,
                           .offers_epochs = settings.channel.peer_info.has(ProtoBit::DataEpoch)});
}

void ClientCore::State::handle(const PushReceived& event, Now now) {
  if (push) return;
  const auto read = read_push(event.reply);
  if (!read) return finish(read.error(), Cause::Failed);
  reply = event.reply;
  push = *read;
  push->session.mssfix = settings.mssfix;
  push->session.path = settings.path;
  push->session.renegotiate_packets = settings.renegotiate_packets;
  channel.apply_push(push->admission, now);
}

/// What cannot be followed is the end of this connection: the next login brings all of it.
void ClientCore::State::handle(const PushUpdated& event, Now now) {
  if (!push || leave_by) return;
  auto updated = apply_push_update(std::move(reply), event.update);
  if (!updated) return finish(updated.error(), Cause::Failed);
  reply = std::move(*updated);
  const auto read = read_push(reply);
  if (!read) return finish(read.error(), Cause::Failed);
  push->ping_exits = read->ping_exits;
  push->session.ping_interval = read->session.ping_interval;
  push->session.ping_restart = read->session.ping_restart;
  if (session) {
    session->ping_timer().change(push->session.ping_interval, push->session.ping_restart,
                                 now.instant);
  }
  if (connected) events.emplace_back(ClientReconfigured{reply});
}

void ClientCore::State::handle(const KeysReady& event, Now now) {
  if (!push) return;
  if (!session) {
    const LinkEndpoint server{.remote = settings.server, .local = {}};
    session.emplace(push->peer_id, server, push->session, now.instant, settings.key_limits);
    // The server has had the keys since before it pushed.
    session->start_path(now.instant);
  }
  traffic_at_keys = session->traffic().total();
  if (settings.engines != nullptr) {
    session->keys().install(event.keys, *settings.engines);
  } else {
    session->keys().install(event.keys);
  }
  if (connected) return;
  connected = true;
  lifetime = ClientLifetime(push->lifetime, now.instant);
  events.emplace_back(ClientConnected{reply});
}

void ClientCore::State::handle(const Renegotiated& event, Now) {
  if (!event.succeeded || !session) return;
  session->keys().confirm(event.key_id);
  events.emplace_back(ClientRekeyed{event.key_id});
}

void ClientCore::State::handle(const LoginWanted&, Now) {
  events.emplace_back(ClientLoginWanted{});
}

/// Without a name from anywhere there is nobody whose token it could be.
void ClientCore::State::handle(const TokenPushed& event, Now now) {
  if (settings.ignores_push && settings.ignores_push("auth-token ")) return;
  std::string user = event.username.empty() ? username : event.username;
  if (user.empty()) return;
  username = user;
  auto token = std::make_shared<const Login>(Login{std::move(user), event.token.copy()});
  channel.keep_token(token, now);
  events.emplace_back(ClientTokenKept{std::move(token)});
}

void ClientCore::State::handle(const MessageReceived& event, Now) {
  if (event.text.starts_with("INFO")) events.emplace_back(ClientNotice{event.text});
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

/// TCP neither loses nor repeats anything, and nobody else can put a packet into a connection: one
/// that does not authenticate means that the two ends do not understand each other. OpenVPN
/// connects anew then, and so does the owner.
void ClientCore::State::end_if_stream(Drop reason) {
  if (settings.path != PathKind::Stream || over) return;
  switch (reason) {
    case Drop::Truncated:
    case Drop::UnknownOpcode:
    case Drop::BadTag:
    case Drop::BadWrap:
    case Drop::Replay: finish("a packet over TCP did not authenticate", Cause::Failed); return;
    default: return;
  }
}

void ClientCore::State::renegotiate_if_worn(Now now) {
  const bool is_used_up =
      settings.renegotiate_bytes != 0 &&
      session->traffic().total() - traffic_at_keys >= settings.renegotiate_bytes;
  // Once for these keys: whether it succeeds is the channel's business.
  if (is_used_up) traffic_at_keys = session->traffic().total();
  if (session->keys().take_worn_key() || is_used_up) channel.renegotiate(now);
}

void ClientCore::State::finish(std::string reason, Cause cause) {
  over = true;
  events.emplace_back(ClientDisconnected{std::move(reason), cause});
}

}  // namespace ringway
