#include "control/push_change.h"

#include <algorithm>
#include <string_view>

#include "control/channel/push.h"

namespace ringway {
namespace {

std::string_view name_of(std::string_view option) { return option.substr(0, option.find(' ')); }

/// A sign in front would be read as part of PUSH_UPDATE's own grammar.
bool can_be_said(std::string_view name) {
  return may_be_updated(name) && !name.starts_with('-') && !name.starts_with('?');
}

std::vector<std::string> lines_of(std::span<const std::string> options, std::string_view name) {
  std::vector<std::string> lines;
  for (const std::string& option : options) {
    if (name_of(option) == name) lines.push_back(option);
  }
  return lines;
}

/// Each name once, those of `first` before those that only `second` has.
std::vector<std::string_view> names_of(std::span<const std::string> first,
                                       std::span<const std::string> second) {
  std::vector<std::string_view> names;
  for (const std::span<const std::string> options : {first, second}) {
    for (const std::string& option : options) {
      if (std::ranges::find(names, name_of(option)) == names.end()) {
        names.push_back(name_of(option));
      }
    }
  }
  return names;
}

}  // namespace

PushChange PushChange::between(std::span<const std::string> before,
                               std::span<const std::string> after) {
  PushChange change;
  for (const std::string_view name : names_of(after, before)) {
    std::vector<std::string> lines = lines_of(after, name);
    if (lines == lines_of(before, name)) continue;
    if (!can_be_said(name)) {
      change.unsaid.emplace_back(name);
    } else if (lines.empty()) {
      change.options.push_back("-" + std::string(name));
    } else {
      change.options.insert(change.options.end(), lines.begin(), lines.end());
    }
  }
  return change;
}

}  // namespace ringway
