#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/pki/pki.h"

namespace CLI {
class App;
}

namespace ringway {

/// `ringway pki`: an authority in a folder, and its certificates. One object a process; outlives
/// the parsing.
class PkiCommand {
 public:
  /// Adds the command and its own commands to `app`.
  explicit PkiCommand(CLI::App& app);
  PkiCommand(const PkiCommand&) = delete;
  PkiCommand& operator=(const PkiCommand&) = delete;

  [[nodiscard]] bool is_asked_for() const;
  /// Does it, or writes one message to standard error. Returns the exit status; that of `report` is
  /// 2 when something has expired or soon will.
  [[nodiscard]] int run() const;

 private:
  [[nodiscard]] Result<int> run(const std::string& command) const;
  [[nodiscard]] Result<int> init() const;
  [[nodiscard]] Result<int> issue(Pki& pki, Side role) const;
  [[nodiscard]] Result<int> revoke(Pki& pki) const;
  [[nodiscard]] Result<int> renew(Pki& pki) const;
  [[nodiscard]] Result<int> report(const Pki& pki) const;
  [[nodiscard]] Result<std::string> new_passphrase() const;

  CLI::App* command_;
  std::string directory_ = "pki";
  std::string passphrase_file_;
  std::string name_;
  std::string authority_name_ = "Ringway CA";
  std::string server_;
  std::string algorithm_ = "p256";
  std::vector<std::string> alternative_names_;
  std::int64_t authority_days_ = 3650;
  std::int64_t days_ = 825;
  std::int64_t crl_days_ = 180;
  std::int64_t within_ = 30;
  bool encrypt_ = false;
  bool json_ = false;
};

/// Where the passphrase of an authority's key comes from: the file, or without one the terminal.
PassphraseSource passphrase_from(const std::string& file);

}  // namespace ringway
