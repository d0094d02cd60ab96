#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "control/client_core.h"
#include "control/client_lifetime.h"
#include "control/client_push.h"
#include "dataplane/channel/session.h"

namespace ringway {

/// What is behind a ClientCore; what the control channel says is handled in client_core_events.cc.
/// The life of a core: connecting, connected (session_ exists), leaving (leave_by_ is set), over.
struct ClientCore::State {
  State(const ClientSettings& given, const TlsWrap& wrap, const TlsContext& tls,
        RandomSource& random, Now now);

  // One function per ControlEvent.
  void handle(const AuthRequested&, Now) {}  // Servers only; so are the next two.
  void handle(const ControlActive&, Now) {}
  void handle(const PushRequested&, Now) {}
  void handle(const PushReceived& event, Now now);
  void handle(const PushUpdated& event, Now now);
  void handle(const KeysReady& event, Now now);
  void handle(const Renegotiated& event, Now now);
  void handle(const PeerLeft& event, Now now);
  void handle(const AuthFailed& event, Now now);
  void handle(const LoginWanted& event, Now now);
  void handle(const TokenPushed& event, Now now);
  void handle(const MessageReceived& event, Now now);
  void handle(const Closed& event, Now now);

  [[nodiscard]] std::expected<ClientPush, std::string> read_push(const PushReply& pushed) const;
  void drain_channel(Now now);
  void handle_control(Bytes datagram, Now now);
  std::optional<ClientPacket> handle_data(MutableBytes datagram, Now now);
  void renegotiate_if_worn(Now now);
  std::optional<Bytes> seal_in_band(Bytes message, MutableBytes scratch, Instant now);
  void finish(std::string reason, ClientDisconnected::Cause cause);
  void count(Drop drop) { ++drops[static_cast<std::size_t>(drop)]; }
  void end_if_stream(Drop reason);
  void look_at_lifetime(Now now);

  ClientSettings settings;
  ControlChannel channel;
  /// What the server has pushed, as its updates have made it.
  PushReply reply;
  std::optional<ClientPush> push;
  std::optional<Session> session;
  /// The session's traffic when its newest keys were made.
  std::uint64_t traffic_at_keys = 0;
  /// From the connection on.
  ClientLifetime lifetime;
  /// Whose name the login and the tokens have.
  std::string username;
  bool connected = false;
  bool over = false;
  /// Set by leave().
  std::optional<Instant> leave_by;
  /// Goodbyes still to be said on the data channel, and when the next is due.
  unsigned goodbyes = 0;
  Instant goodbye_due;
  std::deque<ClientEvent> events;
  std::uint64_t opened_count = 0;
  std::array<std::uint64_t, kDropCount> drops{};
};

}  // namespace ringway
