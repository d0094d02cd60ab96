#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/channel/control_channel.h"
#include "control/channel/control_message.h"
#include "control/channel/control_wire.h"
#include "control/channel/key_negotiation.h"
#include "control/channel/message_inbox.h"

namespace ringway {

/// What is behind a ControlChannel. The functions are in three files:
///
///     control_channel_state.cc     datagrams and time: in, out, deadlines, the end
///     control_negotiations.cc      which negotiation runs, keys, admission
///     control_messages.cc          text messages and the push
///
/// `next` is an unfinished renegotiation; when it has keys and is active, it becomes `current`.
/// What it replaces, and what has failed, is kept among the `retired` for a while, to acknowledge
/// late packets and to get its TLS alert across.
struct ControlChannel::State {
  State(const ChannelSettings& channel_settings, const TlsContext& tls, RandomSource& random,
        const TlsWrap& wrap, ControlWire channel_wire);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() = default;

  // control_channel_state.cc
  void handle_datagram(Bytes datagram, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<Bytes> poll_transmit(MutableBytes scratch, Now now);
  /// Acts on whatever the last input changed.
  void settle(Now now);
  void close(std::string_view reason);
  void count(Drop drop, std::uint64_t times = 1) { drops[static_cast<std::size_t>(drop)] += times; }

  // control_negotiations.cc
  std::unique_ptr<KeyNegotiation> begin(KeyId key_id, std::optional<Opcode> reset, Now now);
  [[nodiscard]] KeyNegotiation* find(KeyId key_id);
  /// The renegotiation that `packet` asks for; null when it asks for none or may not have it.
  KeyNegotiation* answer_soft_reset(const ControlPacket& packet, Now now);
  void renegotiate(Now now);
  void settle_exchange(KeyNegotiation& negotiation, Now now);
  void settle_current(Now now);
  void settle_next(Now now);
  void abandon_next(Now now);
  void promote_next(Now now);
  void retire(std::unique_ptr<KeyNegotiation> negotiation, Instant until);
  void derive(KeyNegotiation& negotiation, Now now);
  void begin_dynamic_wrap(const KeyNegotiation& negotiation, Now now);
  void apply_push(const Admission& verdict, Now now);
  void set_login(SharedLogin login, Now now);
  void look_after_login(KeyNegotiation& negotiation);
  void admit(const Admission& verdict, Now now);
  void schedule_renegotiation();
  /// Newest first; some may be null.
  [[nodiscard]] std::array<KeyNegotiation*, 4> negotiations() const {
    return {next.get(), current.get(), retired[0].negotiation.get(), retired[1].negotiation.get()};
  }

  // control_messages.cc
  void reject(std::string_view reason, Now now);
  void send_message(std::string_view text, Now now);
  void send_push_reply(const PushReply& reply, Now now);
  void flush_messages(Now now);
  void take_messages(KeyNegotiation& negotiation, Now now);
  void handle_message(const std::string& text, Now now);
  void handle_client_message(const ControlMessage& message, const std::string& text);
  void handle_server_message(const ControlMessage& message, const std::string& text, Now now);
  void handle_push_reply(const std::string& text);
  void handle_push_update(const std::string& text);
  /// EXIT, RESTART or HALT; repeating it changes nothing (security goal B14).
  void note_departure(const std::string& text);
  void begin_pull(Now now);
  void continue_pull(Now now);

  struct Retired {
    std::unique_ptr<KeyNegotiation> negotiation;
    Instant until;
  };
  /// How long a failed negotiation has for its TLS alert: one retransmission.
  static constexpr Duration kAlertGrace = 3s;
  /// Messages that wait for a negotiation to become active; more are dropped.
  static constexpr std::size_t kHeldMessagesMax = 64;

  ChannelSettings settings;
  const TlsContext& tls_context;
  RandomSource& random_source;
  std::string options;
  /// What the session began under: own_wrap, or what all sessions share.
  const TlsWrap& first_wrap;
  /// Of a client that brought its own key; `wire` borrows it.
  std::unique_ptr<TlsWrap> own_wrap;
  ControlWire wire;
  MessageInbox inbox;
  PushReplyParser push_parser;
  PushReplyParser update_parser{"PUSH_UPDATE"};

  std::unique_ptr<KeyNegotiation> current;
  std::unique_ptr<KeyNegotiation> next;
  std::array<Retired, 2> retired;
  /// The newest that both ends know to have begun.
  KeyId last_key_id;
  /// When the last negotiation began, ours or the peer's.
  Instant last_begun;
  std::optional<Admission> admission;

  std::deque<ControlEvent> events;
  std::deque<std::string> held_messages;
  std::string tls_text;
  std::string closing_reason;
  std::array<std::uint64_t, kDropCount> drops{};
  Instant last_received;

  std::optional<Instant> renegotiate_at;
  /// A renegotiation failed: unless one succeeds until then, the channel ends (security goal B12).
  std::optional<Instant> must_rekey_by;
  /// The first negotiation has failed; its alert is on the way.
  std::optional<Instant> close_at;
  /// AUTH_FAILED is on the way.
  std::optional<Instant> exit_at;
  std::optional<Instant> push_request_at;
  std::optional<Instant> push_deadline;

  bool active_announced = false;
  bool established = false;
  bool rejected = false;
  bool peer_has_left = false;
  bool push_received = false;
  bool login_asked_for = false;
  bool closed = false;
};

}  // namespace ringway
