#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Programs that decide about clients, or hear of them.
namespace ringway {
namespace {

Result<void> apply_security(ConfigDraft& draft, const ConfigLine& line) {
  const auto level = number_at(line, 1, {0, 3});
  if (!level) return std::unexpected(level.error());
  draft.config.programs.security = static_cast<int>(*level);
  return {};
}

/// The program and its arguments are one word of the line, split by the same rules, as by OpenVPN.
/// No shell sees them.
Result<void> set_program(ProgramLine& program, const ConfigLine& line) {
  auto words = split_config_words(line.parameter(1), line.where);
  if (!words) return std::unexpected(words.error());
  if (words->empty() || words->front().empty()) return bad_value(line, 1, "a program's path");
  program = {.words = std::move(*words), .where = line.where};
  return {};
}

Result<void> apply_tls_crypt_v2_verify(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.client_key, line);
}
Result<void> apply_tls_verify(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.certificate, line);
}
Result<void> apply_client_connect(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.connect, line);
}
Result<void> apply_client_disconnect(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.disconnect, line);
}
Result<void> apply_client_crresponse(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.challenge, line);
}
Result<void> apply_learn_address(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.learn, line);
}
Result<void> apply_up(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.up, line);
}
Result<void> apply_route_up(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.route_up, line);
}
Result<void> apply_down(ConfigDraft& draft, const ConfigLine& line) {
  return set_program(draft.config.programs.down, line);
}

Result<void> apply_auth_user_pass_verify(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(2) != "via-env" && line.parameter(2) != "via-file") {
    return bad_value(line, 2, "via-env or via-file");
  }
  draft.config.programs.password_by_file = line.parameter(2) == "via-file";
  return set_program(draft.config.programs.password, line);
}

Result<void> apply_password_optional(ConfigDraft& draft, const ConfigLine&) {
  draft.config.programs.password_optional = true;
  return {};
}
Result<void> apply_username_as_common_name(ConfigDraft& draft, const ConfigLine&) {
  draft.config.programs.username_as_common_name = true;
  return {};
}

Result<void> apply_tmp_dir(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a directory's path");
  draft.config.programs.directory = line.parameter(1);
  return {};
}

/// Letters, digits and underscores, and nothing that would change which program runs.
bool is_variable_name(std::string_view name) {
  constexpr std::array<std::string_view, 4> kForbidden = {"IFS", "ENV", "BASH_ENV", "SHELLOPTS"};
  return !name.empty() && !name.starts_with("LD_") &&
         std::ranges::find(kForbidden, name) == kForbidden.end() &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

Result<void> set_variable(ConfigDraft& draft, const ConfigLine& line, std::string_view prefix) {
  if (!is_variable_name(line.parameter(1))) {
    return bad_value(line, 1, "a name of letters, digits and underscores that no shell relies on");
  }
  draft.config.programs.variables.emplace_back(
      std::string(prefix) + line.parameter(1),
      line.parameter_count() >= 2 ? line.parameter(2) : std::string());
  return {};
}

Result<void> apply_setenv(ConfigDraft& draft, const ConfigLine& line) {
  // `setenv opt OPTION ...` is read by the parser itself.
  if (line.parameter(1) == "FORWARD_COMPATIBLE") {
    draft.ignore_all_unknown = line.parameter_count() == 2 && line.parameter(2) == "1";
    return {};
  }
  return set_variable(draft, line, "");
}

Result<void> apply_setenv_safe(ConfigDraft& draft, const ConfigLine& line) {
  return set_variable(draft, line, "OPENVPN_");
}

constexpr std::array kRows = {
    works("script-security", "0..3", {1, 1}, apply_security,
          "2 allows programs, 3 also passwords in their environment; 1 by default, which allows "
          "none."),
    works("auth-user-pass-verify", "PROGRAM via-env|via-file", {2, 2}, apply_auth_user_pass_verify,
          "Clients must give a user name and a password, and the program decides: exit status 0 "
          "or 1, or 2 to decide later by `auth_control_file`."),
    works("auth-user-pass-optional", "", {0, 0}, apply_password_optional,
          "Clients without a user name are not refused unasked: the program sees an empty one."),
    works("username-as-common-name", "", {0, 0}, apply_username_as_common_name,
          "A client's name is that of its user, not that of its certificate."),
    works(
        "tls-crypt-v2-verify", "PROGRAM", {1, 1}, apply_tls_crypt_v2_verify,
        "Decides about what a client's own key says of itself (`metadata_type`, `metadata_file`), "
        "once, behind the TLS handshake and before all other programs; OpenVPN: in the first "
        "packet. A client that is refused is told, where OpenVPN says nothing."),
    works("tls-verify", "PROGRAM", {1, 1}, apply_tls_verify,
          "Decides about each certificate of a client's chain, the client's own last."),
    works("client-connect", "PROGRAM", {1, 1}, apply_client_connect,
          "Decides about an authenticated client; `client_connect_deferred_file` puts it off. Runs "
          "for several clients at once, where OpenVPN stands still: a file that all write to wants "
          "a lock (flock). What takes longer than 60 s is ended, as all programs about clients."),
    works("client-disconnect", "PROGRAM", {1, 1}, apply_client_disconnect,
          "Hears that such a client has gone, and how much it sent and received."),
    works("client-crresponse", "PROGRAM", {1, 1}, apply_client_crresponse,
          "Gets a client's answer to a CR_TEXT challenge."),
    works("learn-address", "PROGRAM", {1, 1}, apply_learn_address,
          "Decides about each address of a client (`add`; `update`, if it was another's until "
          "now), and hears that it is free again (`delete`). A failure keeps packets from that "
          "address, not the client. Run one at a time, in order: a file of all addresses needs no "
          "lock."),
    works("up", "PROGRAM", {1, 1}, apply_up,
          "Run when the device is there, before `user` and `group`; if it fails, the server ends."),
    works("route-up", "PROGRAM", {1, 1}, apply_route_up, "Run after `up`."),
    works("down", "PROGRAM", {1, 1}, apply_down, "Run when the device is gone."),
    works("setenv", "opt OPTION... | FORWARD_COMPATIBLE 1 | NAME [VALUE]", {1, 15}, apply_setenv,
          "`opt` marks an option that may be unknown or refused; FORWARD_COMPATIBLE skips all "
          "unknown ones. Others are variables for programs."),
    works("setenv-safe", "NAME [VALUE]", {1, 2}, apply_setenv_safe,
          "The same for programs, with OPENVPN_ in front of the name."),
    works("tmp-dir", "DIRECTORY", {1, 1}, apply_tmp_dir,
          "Where the files between server and programs are; `user` must be able to write there. "
          "TMPDIR, or /tmp, by default."),
};

}  // namespace

std::span<const OptionRow> program_options() { return kRows; }

}  // namespace ringway
