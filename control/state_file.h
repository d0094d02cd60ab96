#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace ringway {

/// A small file that is rewritten as a whole again and again: the status file, the address leases.
///
/// A reader never sees half of it: the text goes to a temporary file beside it, which then takes
/// its name (security goal D06). Where the directory is not writable, as is usual after privileges
/// were dropped, the file that was opened at start is overwritten in place instead, as OpenVPN
/// does. A failure is logged once a minute and never stops the server (security goal R10).
///
/// SHELL: file system calls; used by the control thread.
class StateFile {
 public:
  /// `what` names it in log lines, e.g. "status". Call open() before privileges are dropped.
  StateFile(std::string what, std::string path);

  /// Creates the file if need be. The error says why it will not be possible to write it.
  Result<void> open();
  /// Its present text; empty when there is none yet.
  [[nodiscard]] std::string read() const;
  /// False when it could not be written; that has been logged.
  bool write(std::string_view text, Now now);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static constexpr Duration kWarnMin = 60s;
  /// 0 or the errno.
  int replace(std::string_view text);
  int overwrite(std::string_view text) const;

  std::string what_;
  std::string path_;
  /// The file that has the name.
  UniqueFd fd_;
  std::optional<Instant> warned_at_;
};

}  // namespace ringway
