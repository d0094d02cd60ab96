#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "control/config/config.h"
#include "control/worker_plan.h"

/// Whether what the host allows a process is enough for what the workers take at start (security
/// goal D08): a limit that is too low is one line that says which, not the failure of whatever
/// meets it first. Pure unless it says otherwise.
namespace ringway {

struct ProcessLimits {
  static constexpr std::uint64_t kNone = UINT64_MAX;

  std::uint64_t files = kNone;          ///< RLIMIT_NOFILE
  std::uint64_t address_space = kNone;  ///< RLIMIT_AS, bytes
  std::uint64_t data = kNone;           ///< RLIMIT_DATA, bytes
};

/// Every secret that the configured number of clients can need.
SecretArena::Room room_for_secrets(const ServerConfig& config);
/// At least so many files are open when the server is ready, and so many bytes are its own.
std::uint64_t files_needed(const ServerConfig& config, const WorkerPlan& plan);
std::uint64_t memory_needed(const ServerConfig& config, const WorkerPlan& plan);

/// The error names the limit and what to write where.
Result<void> check_limits(const ServerConfig& config, const WorkerPlan& plan,
                          const ProcessLimits& limits);
/// The same for the keys' memory alone, which is taken before anything else is known.
Result<void> check_secrets(const ServerConfig& config, const ProcessLimits& limits);
/// What is enough to start and too little for `max-clients` over TCP, where each client is a file.
std::optional<std::string> warning_of_limits(const ServerConfig& config,
                                             const ProcessLimits& limits);

/// SHELL: lets the process have as many files open as the host allows it, and says what holds.
ProcessLimits raise_limits();

}  // namespace ringway
