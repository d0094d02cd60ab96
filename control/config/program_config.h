#pragma once

#include <string>
#include <utility>
#include <vector>

/// Programs, as a configuration names them. Pure values.
namespace ringway {

/// A program that the server runs, as it is split into words; without any: none.
struct ProgramLine {
  std::vector<std::string> words;
  /// The line, for messages.
  std::string where;
  [[nodiscard]] bool is_set() const { return !words.empty(); }
};

/// Programs that decide about clients, or hear of them.
struct ProgramConfig {
  int security = 1;                ///< `script-security`
  ProgramLine client_key;          ///< `tls-crypt-v2-verify`
  ProgramLine certificate;         ///< `tls-verify`
  ProgramLine password;            ///< `auth-user-pass-verify`
  bool password_by_file = false;   ///< ... via-file
  bool password_optional = false;  ///< `auth-user-pass-optional`
  bool username_as_common_name = false;
  ProgramLine connect;     ///< `client-connect`
  ProgramLine disconnect;  ///< `client-disconnect`
  ProgramLine learn;       ///< `learn-address`
  ProgramLine challenge;   ///< `client-crresponse`
  ProgramLine up;
  ProgramLine route_up;
  ProgramLine down;
  /// `setenv`, `setenv-safe`.
  std::vector<std::pair<std::string, std::string>> variables;
  std::string directory;  ///< `tmp-dir`; empty: TMPDIR, or /tmp
};

}  // namespace ringway
