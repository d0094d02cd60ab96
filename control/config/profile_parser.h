#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/config/client_config.h"
#include "control/config/config_parser.h"

namespace ringway {

/// OpenVPN's client profile (.ovpn) -> ClientConfig, in the same language and with the same kind of
/// errors as parse_server_config(). Pure but for `read`.
Result<ClientConfig> parse_client_profile(std::string_view text, const std::string& file_name,
                                          const std::vector<std::string>& extra_options,
                                          const FileReader& read);

/// As load_files(ServerConfig&).
Result<void> load_files(ClientConfig& config);

/// Name and password of an `auth-user-pass` file: its first two lines.
struct UserPassword {
  std::string username;
  std::string password;
};
Result<UserPassword> read_user_password(const FileOrInline& file);

}  // namespace ringway
