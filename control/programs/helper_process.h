#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "control/programs/program_files.h"

/// SHELL: the small process beside the server that runs programs and reads what only the rights of
/// the start can read (docs/decisions/0009).
///
///     server ----socket---- helper          runs programs, reads files
///        \                  /  started anew when it dies, with the rights of the start
///         `---- keeper ----'                does nothing else
///
/// It knows nothing of clients, keys or packets. It goes when the server does: the socket's end
/// tells it, whatever the server's end was. And it does what the configuration names, nothing else:
/// whoever takes over the server shall not have the rights of its start for the asking (security
/// goal D04).
namespace ringway {

struct HelperSettings {
  ProgramIdentity identity;
  /// `tmp-dir`.
  std::string directory;
  /// Programs that it runs, each with its first arguments.
  std::vector<std::vector<std::string>> programs;
  /// ... and those that it runs with the rights of the start, until the server serves.
  std::vector<std::vector<std::string>> privileged_programs;
  /// `client-config-dir` and `ccd-exclusive`.
  std::string client_directory;
  bool client_directory_is_exclusive = false;
  /// `crl-verify`, a file or a directory; empty: none is opened.
  std::string revocations;
};

/// Our end of it. Move-only.
struct HelperEnd {
  UniqueFd socket;
  pid_t keeper = -1;
};

/// Call while the process has one thread and no secrets but those that `forget_secrets` wipes: the
/// new process is a copy.
template <typename ForgetSecrets>
Result<HelperEnd> start_helper(const HelperSettings& settings, ForgetSecrets forget_secrets);

/// What start_helper() is made of.
Result<HelperEnd> fork_keeper(UniqueFd& helpers_end);
[[noreturn]] void run_keeper(UniqueFd socket, const HelperSettings& settings);

template <typename ForgetSecrets>
Result<HelperEnd> start_helper(const HelperSettings& settings, ForgetSecrets forget_secrets) {
  UniqueFd helpers_end;
  Result<HelperEnd> end = fork_keeper(helpers_end);
  if (!end || end->keeper != 0) return end;
  end->socket.reset();
  forget_secrets();
  run_keeper(std::move(helpers_end), settings);
}

}  // namespace ringway
