#include "tools/command_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "control/config/config_lexer.h"

namespace ringway {
namespace {

bool is_option(const std::string& word) { return word.size() > 2 && word.starts_with("--"); }

Result<void> set_config(CommandArguments& arguments, std::span<const std::string> paths,
                        const std::string& where, std::string_view usage) {
  if (paths.empty() || paths.front().empty()) {
    return fail("names no file", where, fmt::format("write `{}`", usage));
  }
  if (!arguments.config_path.empty() || paths.size() > 1) {
    return fail(fmt::format("`{}` is one file too many", paths.back()), where,
                "name one configuration; it reads others by its own `config FILE` lines");
  }
  arguments.config_path = paths.front();
  return {};
}

/// `words` begins with an option; its parameters follow.
Result<void> add_option(CommandArguments& arguments, std::span<const std::string> words,
                        std::string_view usage) {
  const std::span<const std::string> parameters = words.subspan(1);
  if (words.front() == "--config") return set_config(arguments, parameters, "--config", usage);
  if (words.front() == "--print-config") {
    arguments.print_config = true;
    // `ringway server --print-config CONFIG` is as good as the other order.
    return parameters.empty() ? Result<void>{}
                              : set_config(arguments, parameters, "command line", usage);
  }
  std::string option = words.front().substr(2);
  for (const std::string& parameter : parameters) option += ' ' + quote_config_word(parameter);
  arguments.options.push_back(std::move(option));
  return {};
}

}  // namespace

Result<CommandArguments> parse_command_arguments(std::span<const std::string> words,
                                                 std::string_view usage) {
  CommandArguments arguments;
  const auto first_option = std::ranges::find_if(words, is_option);
  const auto leading = static_cast<std::size_t>(first_option - words.begin());
  if (leading > 0) {
    auto set = set_config(arguments, words.first(leading), "command line", usage);
    if (!set) return std::unexpected(set.error());
  }
  std::span<const std::string> rest = words.subspan(leading);
  while (!rest.empty()) {
    const auto next = std::find_if(rest.begin() + 1, rest.end(), is_option);
    const auto length = static_cast<std::size_t>(next - rest.begin());
    auto added = add_option(arguments, rest.first(length), usage);
    if (!added) return std::unexpected(added.error());
    rest = rest.subspan(length);
  }
  if (arguments.config_path.empty()) {
    return fail("no configuration is named", "command line",
                fmt::format("write `{} [--option parameter ...]`", usage));
  }
  return arguments;
}

int exit_status_of(const Result<void>& ended) {
  if (ended) return 0;
  // Where nobody reads any more, fmt::print() would throw; the status still says what happened.
  std::fputs(fmt::format("ringway: {}\n", ended.error().to_string()).c_str(), stderr);
  return 1;
}

}  // namespace ringway
