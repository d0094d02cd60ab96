#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// How a client logs in, in its profile: name and password, questions, and the key's passphrase.
namespace ringway {
namespace {

/// `stdin` in place of a file is the terminal, as in OpenVPN.
bool is_terminal(const ConfigLine& line) {
  return !line.inline_text && (line.parameter_count() == 0 || line.parameter(1) == "stdin");
}

Result<void> apply_auth_user_pass(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.login.is_wanted = true;
  if (is_terminal(line)) {
    draft.profile.auth_user_pass = {};
    return {};
  }
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  if (file->path == "[inline]" && draft.profile.auth_user_pass.is_inline) return {};
  draft.profile.auth_user_pass = std::move(*file);
  return {};
}

Result<void> apply_auth_nocache(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.login.forgets = true;
  return {};
}

Result<void> apply_auth_retry(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& mode = line.parameter(1);
  if (mode == "none") {
    draft.profile.login.retry = LoginRetry::None;
  } else if (mode == "nointeract") {
    draft.profile.login.retry = LoginRetry::NoInteract;
  } else if (mode == "interact") {
    draft.profile.login.retry = LoginRetry::Interact;
  } else {
    return bad_value(line, 1, "none, nointeract or interact");
  }
  return {};
}

Result<void> apply_static_challenge(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "the question for the user");
  const std::string& echo = line.parameter(2);
  if (echo != "0" && echo != "1") return bad_value(line, 2, "0, or 1 to show the answer,");
  draft.profile.login.challenge = line.parameter(1);
  draft.profile.login.challenge_echoes = echo == "1";
  return {};
}

Result<void> apply_askpass(ConfigDraft& draft, const ConfigLine& line) {
  draft.profile.login.asks_passphrase = true;
  if (is_terminal(line)) return {};
  Result<FileOrInline> file = file_of(line);
  if (!file) return std::unexpected(file.error());
  draft.profile.login.passphrase = std::move(*file);
  return {};
}

}  // namespace

std::span<const OptionRow> profile_login_options() {
  static const std::array kRows = {
      works_inline("auth-user-pass", "[FILE]", {0, 1}, apply_auth_user_pass,
                   "Name and password for the server: the first two lines of the file. What is "
                   "missing is asked on the terminal, or by systemd-ask-password where there is "
                   "none."),
      works("auth-nocache", "", {0, 0}, apply_auth_nocache,
            "Name and password are forgotten once they were sent; for the next login, "
            "renegotiations included, they are asked for or read again, unless the server has "
            "pushed a token."),
      works("auth-retry", "none|nointeract|interact", {1, 1}, apply_auth_retry,
            "When name and password are refused: end, which is the default, try the same again, "
            "or ask the user again."),
      works("static-challenge", "TEXT 0|1", {2, 2}, apply_static_challenge,
            "Asks TEXT together with the password, with 1 shows what is typed, and sends both."),
      works("askpass", "[FILE]", {0, 1}, apply_askpass,
            "The passphrase of the private key: the first line of the file. Without it an "
            "encrypted key asks for its passphrase."),
  };
  return kRows;
}

}  // namespace ringway
