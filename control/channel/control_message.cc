#include "control/channel/control_message.h"

#include <charconv>
#include <utility>

#include "control/channel/push.h"

namespace ringway {
namespace {

constexpr std::pair<std::string_view, ControlMessageKind> kWords[] = {
    {"PUSH_REQUEST", ControlMessageKind::PushRequest},
    {"PUSH_REPLY", ControlMessageKind::PushReply},
    {"PUSH_UPDATE", ControlMessageKind::PushUpdate},
    {"AUTH_FAILED", ControlMessageKind::AuthFailed},
    {"AUTH_PENDING", ControlMessageKind::AuthPending},
    {"RESTART", ControlMessageKind::Restart},
    {"HALT", ControlMessageKind::Halt},
    {"EXIT", ControlMessageKind::Exit},
    {"INFO", ControlMessageKind::Info},
    {"INFO_PRE", ControlMessageKind::InfoPre},
    {"CR_RESPONSE", ControlMessageKind::ChallengeResponse},
};

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/// How many bytes the UTF-8 character at the start of `text` takes; 0 when it is not one
/// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;

  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) >= 0xa0;
  const bool beyond = first == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : size;
}

}  // namespace

ControlMessage parse_control_message(std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::string_view word = text.substr(0, comma);
  const std::string_view argument =
      comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  for (const auto& [name, kind] : kWords) {
    if (word == name) return {.kind = kind, .argument = argument};
  }
  return {.kind = ControlMessageKind::Unknown, .argument = argument};
}

bool is_printable_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (size == 0 || is_control(static_cast<unsigned char>(text[0]))) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string printable_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (size == 0 || is_control(static_cast<unsigned char>(text[0]))) {
      clean += '_';
      text.remove_prefix(1);
    } else {
      clean += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return clean;
}

std::string auth_failed_message(std::string_view reason) {
  std::string text = "AUTH_FAILED";
  if (reason.empty()) return text;
  text += ',';
  const std::string clean = printable_text(reason);
  std::size_t size = clean.size();
  if (size > kPushMessageSizeMax - 1 - text.size()) {
    size = kPushMessageSizeMax - 1 - text.size();
    // Cut in front of a character, not inside it.
    while (size > 0 && (static_cast<unsigned char>(clean[size]) & 0xc0) == 0x80) --size;
  }
  return text + clean.substr(0, size);
}

std::uint32_t auth_pending_timeout(std::string_view argument) {
  constexpr std::string_view kKeyword = "timeout ";
  if (!argument.starts_with(kKeyword)) return 0;
  argument.remove_prefix(kKeyword.size());
  std::uint32_t seconds = 0;
  std::from_chars(argument.data(), argument.data() + argument.size(), seconds);
  return seconds;
}

}  // namespace ringway
