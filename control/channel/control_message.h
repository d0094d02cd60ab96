#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringway {

/// The text messages of a control channel (docs/PROTOCOL.md 7.1).
enum class ControlMessageKind : std::uint8_t {
  PushRequest,
  PushReply,
  PushUpdate,
  AuthFailed,
  AuthPending,
  Restart,
  Halt,
  Exit,
  Info,
  InfoPre,
  ChallengeResponse,
  Unknown,
};

/// One message, recognised by the word before its first comma. Borrows from the text.
struct ControlMessage {
  ControlMessageKind kind = ControlMessageKind::Unknown;
  /// What follows the first comma; empty when there is none.
  std::string_view argument;
};

/// Pure. `text` is without its NUL.
ControlMessage parse_control_message(std::string_view text);

/// True for valid UTF-8 without control characters: all else is dropped unread, because it would
/// end up in logs and on terminals (security goal B13, CVE-2024-5594).
[[nodiscard]] bool is_printable_text(std::string_view text);

/// `text` with every byte that a client would drop the whole message for replaced by '_'.
std::string printable_text(std::string_view text);

/// "AUTH_FAILED" or "AUTH_FAILED,reason", short enough for one message.
std::string auth_failed_message(std::string_view reason);

/// The seconds of "AUTH_PENDING,timeout N"; 0 when there are none.
std::uint32_t auth_pending_timeout(std::string_view argument);

}  // namespace ringway
