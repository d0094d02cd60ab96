#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "control/channel/control_channel_state.h"

namespace ringway {
namespace {

constexpr Duration kPushRequestInterval = 5s;
/// What a server may ask a client to wait for, at most.
constexpr std::uint32_t kPendingSecondsMax = 3600;

/// Takes `auth-token` and whose it is out of what was pushed, so that it is kept in one place.
std::optional<TokenPushed> take_token(PushReply& reply) {
  TokenPushed pushed;
  if (const auto token = find_option(reply, "auth-token")) pushed.token = SecretText(*token);
  if (const auto user = find_option(reply, "auth-token-user")) {
    const auto name = decode_base64(*user);
    if (name) pushed.username = text_of(*name);
  }
  std::erase_if(reply.options, [](std::string& option) {
    if (!option.starts_with("auth-token ") && !option.starts_with("auth-token-user ")) return false;
    wipe(option);
    return true;
  });
  if (pushed.token.empty()) return std::nullopt;
  return pushed;
}

}  // namespace

void ControlChannel::State::reject(std::string_view reason, Now now) {
  if (closed || rejected) return;
  rejected = true;
  closing_reason = "the client was rejected: ";
  closing_reason += reason;
  held_messages.clear();
  held_messages.push_back(auth_failed_message(reason));
  flush_messages(now);
}

void ControlChannel::State::send_message(std::string_view text, Now now) {
  if (closed || rejected) return;
  if (held_messages.size() >= kHeldMessagesMax) return count(Drop::QueueFull);
  held_messages.push_back(printable_text(text.substr(0, kMessageSizeMax)));
  flush_messages(now);
}

void ControlChannel::State::send_push_reply(const PushReply& reply, Now now) {
  for (const std::string& message : encode_push_reply(reply)) send_message(message, now);
}

/// Stock peers read text under their newest KeyId alone, so during a renegotiation it waits.
void ControlChannel::State::flush_messages(Now now) {
  KeyNegotiation& newest = next != nullptr ? *next : *current;
  while (!held_messages.empty() && newest.is_active()) {
    if (!newest.send_text(held_messages.front(), now.instant)) return;
    // It may have been an answer that nobody else shall know.
    wipe(held_messages.front());
    held_messages.pop_front();
    if (rejected && !exit_at) exit_at = now.instant + kExitGrace;
  }
}

void ControlChannel::State::take_messages(KeyNegotiation& negotiation, Now now) {
  for (std::string& record : negotiation.take_records()) {
    if (negotiation.has_failed()) continue;
    for (std::string& text : inbox.take(record, now.instant)) {
      handle_message(text, now);
      wipe(text);
    }
    // A server's push may hold a token.
    wipe(record);
  }
  count(Drop::BadMessage, inbox.take_dropped());
}

void ControlChannel::State::handle_message(const std::string& text, Now now) {
  const ControlMessage message = parse_control_message(text);
  if (settings.side == Side::Server) {
    handle_client_message(message, text);
  } else {
    handle_server_message(message, text, now);
  }
}

/// What only a server says is not listened to when a client says it (security goal B13).
void ControlChannel::State::handle_client_message(const ControlMessage& message,
                                                  const std::string& text) {
  switch (message.kind) {
    case ControlMessageKind::PushRequest: events.push_back(PushRequested{}); return;
    case ControlMessageKind::Exit: return note_departure(text);
    case ControlMessageKind::PushReply:
    case ControlMessageKind::PushUpdate:
    case ControlMessageKind::AuthFailed:
    case ControlMessageKind::AuthPending:
    case ControlMessageKind::Restart:
    case ControlMessageKind::Halt: return count(Drop::BadMessage);
    case ControlMessageKind::Info:
    case ControlMessageKind::InfoPre:
    case ControlMessageKind::ChallengeResponse:
    case ControlMessageKind::Unknown: events.push_back(MessageReceived{.text = text}); return;
  }
}

void ControlChannel::State::handle_server_message(const ControlMessage& message,
                                                  const std::string& text, Now now) {
  switch (message.kind) {
    case ControlMessageKind::PushReply: return handle_push_reply(text);
    case ControlMessageKind::PushUpdate: return handle_push_update(text);
    case ControlMessageKind::AuthFailed:
      push_request_at.reset();
      push_deadline.reset();
      events.push_back(AuthFailed{.reason = std::string(message.argument)});
      return;
    case ControlMessageKind::AuthPending:
      if (push_deadline) {
        const auto seconds = std::min(auth_pending_timeout(message.argument), kPendingSecondsMax);
        push_deadline = std::max(*push_deadline, now.instant + std::chrono::seconds(seconds));
      }
      events.push_back(MessageReceived{.text = text});
      return;
    case ControlMessageKind::Restart:
    case ControlMessageKind::Halt: return note_departure(text);
    case ControlMessageKind::PushRequest:
    case ControlMessageKind::Exit:
    case ControlMessageKind::Info:
    case ControlMessageKind::InfoPre:
    case ControlMessageKind::ChallengeResponse:
    case ControlMessageKind::Unknown: events.push_back(MessageReceived{.text = text}); return;
  }
}

/// After the first, a reply only ever brings a new token (docs/WIRE.md 7.6).
void ControlChannel::State::handle_push_reply(const std::string& text) {
  auto reply = push_parser.handle_message(text);
  if (!reply) return;
  if (auto token = take_token(*reply)) events.push_back(std::move(*token));
  if (std::exchange(push_received, true)) return;
  push_request_at.reset();
  push_deadline.reset();
  events.push_back(PushReceived{.reply = std::move(*reply)});
}

/// Of what was never pushed there is nothing to change.
void ControlChannel::State::handle_push_update(const std::string& text) {
  if (!push_received) return count(Drop::BadMessage);
  if (auto update = update_parser.handle_message(text)) {
    events.push_back(PushUpdated{.update = std::move(*update)});
  }
}

void ControlChannel::State::note_departure(const std::string& text) {
  if (std::exchange(peer_has_left, true)) return;
  push_request_at.reset();
  push_deadline.reset();
  events.push_back(PeerLeft{.message = text});
}

void ControlChannel::State::begin_pull(Now now) {
  if (push_received) return;
  push_deadline = now.instant + settings.hand_window;
  push_request_at = now.instant;
  continue_pull(now);
}

void ControlChannel::State::continue_pull(Now now) {
  if (push_deadline && now.instant >= *push_deadline) {
    return close("the server did not answer PUSH_REQUEST");
  }
  if (!push_request_at || now.instant < *push_request_at) return;
  push_request_at = now.instant + kPushRequestInterval;
  send_message("PUSH_REQUEST", now);
}

void ControlChannel::State::apply_push(const Admission& verdict, Now now) {
  if (closed || established || !push_received || !current->awaits_keys()) return;
  admission = verdict;
  derive(*current, now);
  settle(now);
}

}  // namespace ringway
