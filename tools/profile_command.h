#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/config/config.h"
#include "control/pki/profile_text.h"

namespace CLI {
class App;
}

namespace ringway {

/// `ringway profile`: an .ovpn file for a client of a server's configuration. One object a process;
/// outlives the parsing.
class ProfileCommand {
 public:
  explicit ProfileCommand(CLI::App& app);
  ProfileCommand(const ProfileCommand&) = delete;
  ProfileCommand& operator=(const ProfileCommand&) = delete;

  [[nodiscard]] bool is_asked_for() const;
  /// Writes the profile, or one message to standard error. Returns the exit status.
  [[nodiscard]] int run() const;

 private:
  [[nodiscard]] Result<void> make() const;
  [[nodiscard]] Result<ServerConfig> read_config() const;
  [[nodiscard]] Result<ProfileOwner> read_owner(const ServerConfig& config) const;

  CLI::App* command_;
  std::string config_path_;
  std::string name_;
  std::vector<std::string> hosts_;
  std::string directory_;
  std::string file_;
  std::string passphrase_file_;
  std::optional<std::string> metadata_;
};

}  // namespace ringway
