#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret_text.h"
#include "control/config/client_config.h"
#include "control/config/config_draft.h"
#include "control/config/config_parser.h"

namespace ringway {

/// OpenVPN's client profile (.ovpn) -> ClientConfig, in the same language and with the same kind of
/// errors as parse_server_config(). Pure but for `read`.
Result<ClientConfig> parse_client_profile(std::string_view text, const std::string& file_name,
                                          const std::vector<std::string>& extra_options,
                                          const FileReader& read);

/// Once all lines are known: the remote's port and family, timers, the key that protects control
/// packets; and what is missing or contradicts itself. Pure.
Result<void> derive_profile(ConfigDraft& draft);

/// As load_files(ServerConfig&).
Result<void> load_files(ClientConfig& config);

/// Name and password of an `auth-user-pass` file: its first two lines. Without the second the
/// password is empty, and to be asked for.
struct UserPassword {
  std::string username;
  SecretText password;
};
Result<UserPassword> read_user_password(const FileOrInline& file);

}  // namespace ringway
