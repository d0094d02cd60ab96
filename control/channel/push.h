#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/drop.h"

namespace ringway {

/// The options of a PUSH_REPLY, one a string, e.g. "route 10.0.0.0 255.0.0.0". Pure value.
struct PushReply {
  std::vector<std::string> options;
};

/// Largest text message, its NUL included; room is kept for push-continuation.
inline constexpr std::size_t kPushMessageSizeMax = 1024;

/// The messages that carry `reply`: one, or several with `push-continuation 2 ... 1`, split between
/// options only. Without the NUL. An option that holds a comma, a control character or more than
/// 255 bytes is left out and named in `refused` (security goal B15).
std::vector<std::string> encode_push_reply(const PushReply& reply,
                                           std::vector<std::string>* refused = nullptr);

/// Joins continued replies. Pure; owned by one client channel; bounded by kOptionsMax.
class PushReplyParser {
 public:
  static constexpr std::size_t kOptionsMax = 4096;
  /// `message` begins with "PUSH_REPLY". Returns the whole reply when its last part has arrived.
  std::optional<PushReply> handle_message(std::string_view message);

 private:
  PushReply pending_;
};

/// The value behind `name` of the first option that has it, e.g. "cipher" -> "AES-256-GCM".
std::optional<std::string_view> find_option(const PushReply& reply, std::string_view name);

}  // namespace ringway
