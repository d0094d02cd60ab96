#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/config/config.h"

namespace ringway {

/// The configuration, read once more while the server runs, for what it pushes: `push` lines, and
/// what other options add to them. All else counts at the next start; where it has changed too,
/// nothing is taken, as half of a configuration is none.
///
/// Pure but for `read`.
class PushReload {
 public:
  /// Parses the configuration as it is now: the same file, and the same options behind it.
  using Read = std::function<Result<ServerConfig>()>;

  /// `running` is as it was parsed, before its files were loaded.
  PushReload(const ServerConfig& running, Read read);

  /// ServerConfig::push of now. The error names what else has changed, or why the configuration
  /// cannot be read.
  [[nodiscard]] Result<std::vector<std::string>> pushes() const;

 private:
  /// All that is not pushed, in the words of print_config().
  std::string rest_;
  Read read_;
};

}  // namespace ringway
