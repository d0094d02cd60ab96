#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "control/channel/control_message.h"
#include "control/channel/message_inbox.h"
#include "control/channel/push.h"

/// A record of text messages as it comes out of TLS: the push replies in it, and the same written
/// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  MessageInbox inbox(Side::Client);
  PushReplyParser parser;
  for (const std::string& text : inbox.take(text_of(Bytes(data, size)), Instant{})) {
    RW_ASSERT(is_printable_text(text));
    RW_ASSERT(printable_text(text) == text);
    (void)auth_pending_timeout(parse_control_message(text).argument);
    RW_ASSERT(auth_failed_message(text).size() < kPushMessageSizeMax);
    const auto reply = parser.handle_message(text);
    if (!reply) continue;
    RW_ASSERT(reply->options.size() <= PushReplyParser::kOptionsMax);

    std::vector<std::string> refused;
    PushReplyParser second;
    std::optional<PushReply> again;
    for (const std::string& message : encode_push_reply(*reply, &refused)) {
      RW_ASSERT(message.size() < kPushMessageSizeMax);
      RW_ASSERT(!again.has_value());
      again = second.handle_message(message);
    }
    RW_ASSERT(again.has_value());
    RW_ASSERT(again->options.size() + refused.size() == reply->options.size());
    (void)find_option(*reply, "cipher");
  }
  return 0;
}
