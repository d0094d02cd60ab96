#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"
#include "control/control_plane.h"
#include "control/state_file.h"
#include "control/status_report.h"
#include "dataplane/worker_group.h"

namespace ringway {

/// Who is connected, with the workers' traffic counts.
std::vector<ClientStatus> client_statuses(const ControlPlane& plane, const WorkerGroup& workers,
                                          Now now);
/// The status report in the configured version, with local times.
std::string status_text(const ServerConfig& config, const ControlPlane& plane,
                        const WorkerGroup& workers, Now now);

/// The files that the server keeps up to date: `status` and `ifconfig-pool-persist`.
///
/// SHELL: used by the control thread.
class ServerFiles {
 public:
  explicit ServerFiles(const ServerConfig& config);

  /// Opens both; call before privileges are dropped. Errors name the option.
  Result<void> open();
  /// The leases of the last run; empty when there is no file.
  [[nodiscard]] std::string persisted_leases() const;

  /// Writes what is due, or everything if `final`.
  void write_due(const ControlPlane& plane, const WorkerGroup& workers, Now now,
                 bool final = false);
  [[nodiscard]] std::optional<Instant> next() const;

 private:
  const ServerConfig& config_;
  std::optional<StateFile> status_;
  std::optional<StateFile> leases_;
  Instant next_status_;
  std::optional<Instant> next_leases_;
  std::string written_leases_;
};

}  // namespace ringway
