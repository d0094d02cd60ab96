#include "control/channel/push.h"

#include <algorithm>
#include <utility>

#include "control/channel/control_message.h"

namespace ringway {
namespace {

constexpr std::string_view kWord = "PUSH_REPLY";
constexpr std::string_view kContinuation = "push-continuation";
constexpr std::string_view kMoreFollow = ",push-continuation 2";
constexpr std::string_view kLastOfSeveral = ",push-continuation 1";
/// What one option may measure in OpenVPN 2.x clients.
constexpr std::size_t kOptionSizeMax = 255;
/// Text of one message, without its NUL and with room for either ending.
constexpr std::size_t kTextSizeMax = kPushMessageSizeMax - 1 - kMoreFollow.size();
static_assert(kMoreFollow.size() == kLastOfSeveral.size());
static_assert(kWord.size() + 1 + kOptionSizeMax <= kTextSizeMax);

/// Security goal B15: a comma would begin another option, and a client drops a message with control
/// characters whole. Options of the continuation scheme are ours alone to write.
bool may_be_pushed(std::string_view option) {
  return !option.empty() && option.size() <= kOptionSizeMax && !option.contains(',') &&
         is_printable_text(option) && !option.starts_with(kContinuation);
}

/// The part behind "name " of an option, or nothing when it is another option.
std::optional<std::string_view> value_of(std::string_view option, std::string_view name) {
  if (!option.starts_with(name)) return std::nullopt;
  option.remove_prefix(name.size());
  if (option.empty()) return option;
  if (option.front() != ' ') return std::nullopt;
  option.remove_prefix(std::min(option.find_first_not_of(' '), option.size()));
  return option;
}

}  // namespace

std::vector<std::string> encode_push_reply(const PushReply& reply,
                                           std::vector<std::string>* refused) {
  std::vector<std::string> messages(1, std::string(kWord));
  for (const std::string& option : reply.options) {
    if (!may_be_pushed(option)) {
      if (refused != nullptr) refused->push_back(option);
      continue;
    }
    if (messages.back().size() + 1 + option.size() > kTextSizeMax) messages.emplace_back(kWord);
    messages.back() += ',';
    messages.back() += option;
  }
  if (messages.size() == 1) return messages;

  for (std::string& message : messages) message += kMoreFollow;
  messages.back().replace(messages.back().size() - kLastOfSeveral.size(), kLastOfSeveral.size(),
                          kLastOfSeveral);
  return messages;
}

std::optional<PushReply> PushReplyParser::handle_message(std::string_view message) {
  if (!message.starts_with(kWord)) return std::nullopt;
  message.remove_prefix(kWord.size());
  if (!message.empty() && message.front() != ',') return std::nullopt;

  bool more_follow = false;
  while (!message.empty()) {
    message.remove_prefix(1);
    const std::size_t end = std::min(message.find(','), message.size());
    const std::string_view option = message.substr(0, end);
    message.remove_prefix(end);
    if (const auto continuation = value_of(option, kContinuation)) {
      more_follow = *continuation == "2";
    } else if (!option.empty() && pending_.options.size() < kOptionsMax) {
      pending_.options.emplace_back(option);
    }
  }
  if (more_follow) return std::nullopt;
  return std::exchange(pending_, PushReply{});
}

std::optional<std::string_view> find_option(const PushReply& reply, std::string_view name) {
  for (const std::string& option : reply.options) {
    if (const auto value = value_of(option, name)) return value;
  }
  return std::nullopt;
}

}  // namespace ringway
