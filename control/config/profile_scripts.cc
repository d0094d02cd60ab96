#include <algorithm>
#include <array>
#include <string_view>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Programs that a client runs when its network changes.
namespace ringway {
namespace {

Result<void> apply_security(ConfigDraft& draft, const ConfigLine& line) {
  const auto level = number_at(line, 1, {0, 3});
  if (!level) return std::unexpected(level.error());
  draft.profile.scripts.security = static_cast<int>(*level);
  return {};
}

/// The command line of one kind of script; its words are split again when it is run.
Result<void> set_script(std::string& script, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a program");
  script.clear();
  // A program and its parameters may be one quoted word, as OpenVPN wants it, or several.
  for (std::size_t i = 1; i <= line.parameter_count(); ++i) {
    const std::string& word = line.parameter(i);
    if (i > 1) script += ' ';
    script += line.parameter_count() == 1 ? word : quote_config_word(word);
  }
  return {};
}

Result<void> apply_up(ConfigDraft& draft, const ConfigLine& line) {
  return set_script(draft.profile.scripts.up, line);
}
Result<void> apply_route_up(ConfigDraft& draft, const ConfigLine& line) {
  return set_script(draft.profile.scripts.route_up, line);
}
Result<void> apply_ipchange(ConfigDraft& draft, const ConfigLine& line) {
  return set_script(draft.profile.scripts.ipchange, line);
}
Result<void> apply_route_pre_down(ConfigDraft& draft, const ConfigLine& line) {
  return set_script(draft.profile.scripts.route_pre_down, line);
}
Result<void> apply_down(ConfigDraft& draft, const ConfigLine& line) {
  return set_script(draft.profile.scripts.down, line);
}

/// Letters, digits and underscores, and nothing that would change which program runs.
bool is_variable_name(std::string_view name) {
  constexpr std::array<std::string_view, 4> kForbidden = {"PATH", "IFS", "ENV", "BASH_ENV"};
  return !name.empty() && !name.starts_with("LD_") &&
         std::ranges::find(kForbidden, name) == kForbidden.end() &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

/// `setenv opt` and FORWARD_COMPATIBLE steer the parser, everywhere; the rest is for scripts.
Result<void> apply_setenv(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& name = line.parameter(1);
  if (name == "opt" || name == "FORWARD_COMPATIBLE") {
    return find_option("setenv", ConfigKind::Server)->apply(draft, line);
  }
  if (!is_variable_name(name)) {
    return bad_value(line, 1, "a name of letters, digits and underscores that no shell relies on");
  }
  std::string value;
  for (std::size_t i = 2; i <= line.parameter_count(); ++i) {
    if (i > 2) value += ' ';
    value += line.parameter(i);
  }
  draft.profile.scripts.environment.push_back(name + "=" + value);
  return {};
}

}  // namespace

std::span<const OptionRow> profile_script_options() {
  static const std::array kRows = {
      works("script-security", "0..3", {1, 1}, apply_security,
            "2 and 3 allow scripts; 1 by default, which does not."),
      works("up", "COMMAND", {1, 15}, apply_up,
            "Run when the device and its routes are set. If it fails, the client ends."),
      works("route-up", "COMMAND", {1, 15}, apply_route_up, "Run after `up`."),
      works("ipchange", "COMMAND", {1, 15}, apply_ipchange,
            "Run when the server is connected, with its address and port as last arguments."),
      works("route-pre-down", "COMMAND", {1, 15}, apply_route_pre_down,
            "Run before anything is taken down."),
      works("down", "COMMAND", {1, 15}, apply_down,
            "Run when name servers are taken back, before the routes and the device go."),
      works("setenv", "opt OPTION... | FORWARD_COMPATIBLE 1 | NAME [VALUE]", {1, 15}, apply_setenv,
            "`opt` marks an option that may be unknown or refused; FORWARD_COMPATIBLE skips all "
            "unknown ones. Others are variables for scripts."),
  };
  return kRows;
}

}  // namespace ringway
