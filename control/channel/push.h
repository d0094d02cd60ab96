#pragma once

#include <expected>
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

/// PUSH_UPDATE (docs/WIRE.md 7.8): options for a client that is connected. One that is named is set
/// anew, with all its lines; `-NAME` takes it away; a `?` in front lets the client ignore it. Split
/// as a reply is. Options that no client takes this way are left out and named in `refused`, and so
/// are addresses: the server's routes lead to those that it has leased.
std::vector<std::string> encode_push_update(const std::vector<std::string>& options,
                                            std::vector<std::string>* refused = nullptr);

/// Whether clients take options of this name in a PUSH_UPDATE; `-` and `?` may stand in front.
bool may_be_updated(std::string_view option);

/// Client: what a server has pushed becomes what a PUSH_UPDATE makes of it. The error is a sentence
/// for the log, to be escaped: an option that the server must not change, and that is not marked
/// with `?` as one that may be left aside. Pure.
std::expected<PushReply, std::string> apply_push_update(PushReply held, const PushReply& update);

/// Joins continued messages. Pure; owned by one client channel; bounded by kOptionsMax.
class PushReplyParser {
 public:
  static constexpr std::size_t kOptionsMax = 4096;
  /// `word`, in static memory: what its messages begin with.
  explicit PushReplyParser(std::string_view word = "PUSH_REPLY") : word_(word) {}
  /// Returns the whole reply when its last part has arrived. Nothing becomes of other messages.
  std::optional<PushReply> handle_message(std::string_view message);

 private:
  std::string_view word_;
  PushReply pending_;
};

/// The value behind `name` of the first option that has it, e.g. "cipher" -> "AES-256-GCM".
std::optional<std::string_view> find_option(const PushReply& reply, std::string_view name);

}  // namespace ringway
