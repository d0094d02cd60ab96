#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringway {

/// The processors that this process may use. Pure value.
struct Cores {
  /// By number, in order; what taskset, AllowedCPUs= and cpusets left. Empty: unknown.
  std::vector<unsigned> allowed;
  /// How many cores' worth of time its control groups grant (CPUQuota=, docker --cpus). Unset: all.
  std::optional<double> quota;
};

/// SHELL: asks the kernel.
Cores read_cores();

/// Where control groups are mounted; another folder is for tests.
inline constexpr std::string_view kControlGroupRoot = "/sys/fs/cgroup";

/// The tightest quota among the groups named in `membership` (the text of /proc/self/cgroup) and
/// their parents, of version 1 or 2. SHELL: reads files below `root`; one that is missing or
/// unreadable sets no limit.
std::optional<double> control_group_quota(std::string_view membership, const std::string& root);

}  // namespace ringway
