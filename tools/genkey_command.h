#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace ringway {

/// `ringway genkey`: makes the key files that OpenVPN's `--genkey` makes. One object a process;
/// outlives the parsing.
class GenkeyCommand {
 public:
  /// Adds the command and its kinds to `app`.
  explicit GenkeyCommand(CLI::App& app);
  GenkeyCommand(const GenkeyCommand&) = delete;
  GenkeyCommand& operator=(const GenkeyCommand&) = delete;

  [[nodiscard]] bool is_asked_for() const;
  /// Writes the key, or one message to standard error. Returns the exit status.
  [[nodiscard]] int run() const;

 private:
  CLI::App* command_;
  std::string file_;
  std::string server_key_;
  std::optional<std::string> metadata_;
};

}  // namespace ringway
