#include "control/channel/push.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/channel/control_message.h"

namespace ringway {
namespace {

constexpr std::string_view kWord = "PUSH_REPLY";
constexpr std::string_view kUpdateWord = "PUSH_UPDATE";
constexpr std::string_view kContinuation = "push-continuation";
constexpr std::string_view kMoreFollow = ",push-continuation 2";
constexpr std::string_view kLastOfSeveral = ",push-continuation 1";
/// What one option may measure in OpenVPN 2.x clients.
constexpr std::size_t kOptionSizeMax = 255;
/// Text of one message, without its NUL and with room for either ending.
constexpr std::size_t kTextSizeMax = kPushMessageSizeMax - 1 - kMoreFollow.size();
static_assert(kMoreFollow.size() == kLastOfSeveral.size());
static_assert(kUpdateWord.size() + 1 + kOptionSizeMax <= kTextSizeMax);

/// Security goal B15: a comma would begin another option, and a client drops a message with control
/// characters whole. Options of the continuation scheme are ours alone to write.
bool may_be_pushed(std::string_view option) {
  return !option.empty() && option.size() <= kOptionSizeMax && !option.contains(',') &&
         is_printable_text(option) && !option.starts_with(kContinuation);
}

/// What other servers change, too, and what takes a new device.
bool is_changed_with_a_login(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"ifconfig", "ifconfig-ipv6", "topology",
                                                      "tun-mtu"};
  return std::ranges::find(kNames, name) != kNames.end();
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

using MayBeSaid = bool (*)(std::string_view);

std::vector<std::string> encode(std::string_view word, const std::vector<std::string>& options,
                                MayBeSaid may_be_said, std::vector<std::string>* refused) {
  std::vector<std::string> messages(1, std::string(word));
  for (const std::string& option : options) {
    if (!may_be_said(option)) {
      if (refused != nullptr) refused->push_back(option);
      continue;
    }
    if (messages.back().size() + 1 + option.size() > kTextSizeMax) messages.emplace_back(word);
    messages.back() += ',';
    messages.back() += option;
  }
  if (messages.size() == 1) return messages;

  for (std::string& message : messages) message += kMoreFollow;
  messages.back().replace(messages.back().size() - kLastOfSeveral.size(), kLastOfSeveral.size(),
                          kLastOfSeveral);
  return messages;
}

}  // namespace

bool may_be_updated(std::string_view option) {
  constexpr std::array<std::string_view, 13> kNames = {"block-ipv6",
                                                       "block-outside-dns",
                                                       "dhcp-option",
                                                       "dns",
                                                       "ping",
                                                       "ping-exit",
                                                       "ping-restart",
                                                       "redirect-gateway",
                                                       "redirect-private",
                                                       "route",
                                                       "route-gateway",
                                                       "route-ipv6",
                                                       "route-metric"};
  if (option.starts_with('-')) option.remove_prefix(1);
  if (option.starts_with('?')) option.remove_prefix(1);
  return std::ranges::find(kNames, option.substr(0, option.find(' '))) != kNames.end();
}

std::vector<std::string> encode_push_reply(const PushReply& reply,
                                           std::vector<std::string>* refused) {
  return encode(kWord, reply.options, may_be_pushed, refused);
}

std::vector<std::string> encode_push_update(const std::vector<std::string>& options,
                                            std::vector<std::string>* refused) {
  return encode(
      kUpdateWord, options,
      [](std::string_view option) { return may_be_pushed(option) && may_be_updated(option); },
      refused);
}

std::expected<PushReply, std::string> apply_push_update(PushReply held, const PushReply& update) {
  // An option that is named is cleared once, and has all its lines in the update.
  std::vector<std::string> cleared;
  for (std::string_view option : update.options) {
    const bool is_removal = option.starts_with('-');
    if (is_removal) option.remove_prefix(1);
    const bool is_optional = option.starts_with('?');
    if (is_optional) option.remove_prefix(1);
    const std::string name(option.substr(0, option.find(' ')));
    if (!may_be_updated(name) && !is_changed_with_a_login(name)) {
      if (is_optional) continue;
      return std::unexpected("the server changes `" + name + "`, which it cannot");
    }
    if (std::ranges::find(cleared, name) == cleared.end()) {
      std::erase_if(held.options,
                    [&](const std::string& line) { return value_of(line, name).has_value(); });
      cleared.push_back(name);
    }
    if (!is_removal && held.options.size() < PushReplyParser::kOptionsMax) {
      held.options.emplace_back(option);
    }
  }
  return held;
}

std::optional<PushReply> PushReplyParser::handle_message(std::string_view message) {
  if (!message.starts_with(word_)) return std::nullopt;
  message.remove_prefix(word_.size());
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
