#include "control/server_notice.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/base64.h"
#include "base/bytes.h"

namespace ringway {
namespace {

/// The part of `rest` in front of `separator`, which is taken out of it as well.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// TEMP[backoff 42,advance no]: the flags between the brackets; what is unknown is left aside.
void read_flag(AuthFailure& failure, std::string_view flag) {
  flag = trimmed(flag);
  const std::string_view name = take_until(flag, ' ');
  const std::string_view value = trimmed(flag);
  if (name == "backoff") {
    std::uint32_t seconds = 0;
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    failure.backoff = std::min<Duration>(std::chrono::seconds(seconds), AuthFailure::kBackoffMax);
  } else if (name == "advance") {
    if (value == "no") failure.advance = AuthFailure::Advance::Stay;
    if (value == "addr") failure.advance = AuthFailure::Advance::NextAddress;
    if (value == "remote") failure.advance = AuthFailure::Advance::NextRemote;
  }
}

AuthFailure read_temporary(std::string_view rest) {
  AuthFailure failure{.kind = AuthFailure::Kind::Temporary};
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    std::string_view flags = take_until(rest, ']');
    while (!flags.empty()) read_flag(failure, take_until(flags, ','));
  }
  if (rest.starts_with(':')) rest.remove_prefix(1);
  failure.text = trimmed(rest);
  return failure;
}

/// CRV1:FLAGS:STATE:USER:TEXT, the user's name in base64. Where that cannot be read, it is a
/// refusal.
std::optional<AuthFailure> read_challenge(std::string_view rest) {
  const std::string_view flags = take_until(rest, ':');
  const std::string_view state = take_until(rest, ':');
  const auto user = decode_base64(take_until(rest, ':'));
  if (state.empty() || !user) return std::nullopt;
  return AuthFailure{.kind = AuthFailure::Kind::Challenged,
                     .text = std::string(rest),
                     .challenge = Challenge::make(flags, rest),
                     .state_id = std::string(state),
                     .username = std::string(text_of(*user))};
}

}  // namespace

Challenge Challenge::make(std::string_view flags, std::string_view text) {
  Challenge challenge{.text = std::string(trimmed(text))};
  while (!flags.empty()) {
    const std::string_view flag = trimmed(take_until(flags, ','));
    if (flag == "R") challenge.wants_answer = true;
    if (flag == "E") challenge.echoes = true;
  }
  return challenge;
}

RestartNotice RestartNotice::parse(std::string_view message) {
  const std::size_t open = message.find('[');
  if (open == std::string_view::npos) return {};
  message.remove_prefix(open + 1);
  const std::string_view flags = take_until(message, ']');
  return {.next_remote = flags.contains('N')};
}

AuthFailure AuthFailure::parse(std::string_view reason) {
  constexpr std::string_view kTemporary = "TEMP";
  if (reason.starts_with(kTemporary)) return read_temporary(reason.substr(kTemporary.size()));
  constexpr std::string_view kSession = "SESSION";
  if (reason.starts_with(kSession)) {
    std::string_view rest = reason.substr(kSession.size());
    if (rest.starts_with(':')) rest.remove_prefix(1);
    return {.kind = Kind::TokenExpired, .text = std::string(trimmed(rest))};
  }
  constexpr std::string_view kChallenge = "CRV1:";
  if (reason.starts_with(kChallenge)) {
    if (auto asked = read_challenge(reason.substr(kChallenge.size()))) return *asked;
  }
  return {.text = std::string(reason)};
}

PendingNotice PendingNotice::parse(std::string_view message) {
  constexpr std::string_view kInfoPre = "INFO_PRE,";
  std::string_view rest = message;
  if (!rest.starts_with(kInfoPre)) {
    take_until(rest, ',');
    return {.text = std::string(rest)};
  }
  rest.remove_prefix(kInfoPre.size());
  const std::string_view all = rest;
  const std::string_view method = take_until(rest, ':');
  if (method == "CR_TEXT") {
    const std::string_view flags = take_until(rest, ':');
    return {.kind = Kind::Question, .challenge = Challenge::make(flags, rest)};
  }
  if (method == "WEB_AUTH") take_until(rest, ':');
  if (method == "WEB_AUTH" || method == "OPEN_URL") {
    return {.kind = Kind::Page, .url = std::string(rest)};
  }
  return {.text = std::string(all)};
}

}  // namespace ringway
