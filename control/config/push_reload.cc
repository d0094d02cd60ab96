#include "control/config/push_reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "control/config/config_parser.h"

namespace ringway {
namespace {

/// Nothing in it is secret: files and inline blocks are printed by name.
std::string print_rest(ServerConfig config) {
  config.push.clear();
  return print_config(config);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The first line that only `one` has.
std::optional<std::string> only_in(const std::vector<std::string>& one,
                                   const std::vector<std::string>& other) {
  for (const std::string& line : one) {
    if (std::ranges::find(other, line) == other.end()) return line;
  }
  return std::nullopt;
}

std::string describe_change(const std::string& before, const std::string& after) {
  const std::vector<std::string> old_lines = lines_of(before);
  const std::vector<std::string> new_lines = lines_of(after);
  if (const auto line = only_in(new_lines, old_lines)) return fmt::format("`{}` is new", *line);
  if (const auto line = only_in(old_lines, new_lines)) return fmt::format("`{}` has gone", *line);
  return "the order of its options is another";
}

}  // namespace

PushReload::PushReload(const ServerConfig& running, Read read)
    : rest_(print_rest(running)), read_(std::move(read)) {}

Result<std::vector<std::string>> PushReload::pushes() const {
  Result<ServerConfig> now = read_();
  if (!now) return std::unexpected(now.error());
  std::vector<std::string> pushes = std::exchange(now->push, {});
  const std::string rest = print_rest(std::move(*now));
  if (rest == rest_) return pushes;
  return fail(fmt::format("more than what is pushed has changed: {}", describe_change(rest_, rest)),
              {}, "restart the server for that");
}

}  // namespace ringway
