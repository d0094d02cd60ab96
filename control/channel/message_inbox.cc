#include "control/channel/message_inbox.h"

#include <utility>

#include "control/channel/control_message.h"

namespace ringway {

std::vector<std::string> MessageInbox::take(std::string_view record, Instant now) {
  std::vector<std::string> messages;
  for (std::size_t end; (end = record.find('\0')) != std::string_view::npos;) {
    std::string_view text = record.substr(0, end);
    record.remove_prefix(end + 1);
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) continue;
    if (is_printable_text(text) && may_take_another(now)) {
      messages.emplace_back(text);
    } else {
      ++dropped_;
    }
  }
  if (!record.empty()) ++dropped_;
  return messages;
}

std::uint32_t MessageInbox::take_dropped() { return std::exchange(dropped_, 0); }

bool MessageInbox::may_take_another(Instant now) {
  if (side_ == Side::Client) return true;
  if (now - second_start_ >= 1s) {
    second_start_ = now;
    taken_ = 0;
  }
  return ++taken_ <= kMessagesPerSecondMax;
}

}  // namespace ringway
