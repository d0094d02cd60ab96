#include "control/cores.h"

#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace ringway {
namespace {

void tighten(std::optional<double>& quota, double limit, double period) {
  if (limit <= 0 || period <= 0) return;
  quota = quota ? std::min(*quota, limit / period) : limit / period;
}

/// "max 100000" or "150000 100000": microseconds of each period.
void read_version_2(const std::string& folder, std::optional<double>& quota) {
  std::ifstream file(folder + "/cpu.max");
  double limit = 0;
  double period = 0;
  if (file >> limit >> period) tighten(quota, limit, period);
}

/// -1 is no limit.
void read_version_1(const std::string& folder, std::optional<double>& quota) {
  std::ifstream limit_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double limit = 0;
  double period = 0;
  if (limit_file >> limit && period_file >> period) tighten(quota, limit, period);
}

/// The group itself and all above it: each of them limits.
template <typename Read>
void read_upwards(const std::string& mount, std::string path, std::optional<double>& quota,
                  const Read& read) {
  while (true) {
    read(mount + path, quota);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return;
    path.resize(slash);
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

std::optional<double> control_group_quota(std::string_view membership, const std::string& root) {
  std::optional<double> quota;
  std::istringstream lines{std::string(membership)};
  // "0::/system.slice/ringway.service" (version 2), "4:cpu,cpuacct:/docker/1f2e" (version 1).
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    // ".." in a path names what lies outside of this process's namespace of groups.
    if (path.find("..") != std::string::npos) path.clear();
    if (path == "/") path.clear();
    if (controllers.empty()) {
      read_upwards(root, path, quota, read_version_2);
      read_upwards(root + "/unified", path, quota, read_version_2);
    } else if (names_cpu(controllers)) {
      const std::filesystem::path hierarchy = std::filesystem::path(root) / controllers;
      read_upwards(hierarchy.string(), path, quota, read_version_1);
    }
  }
  return quota;
}

Cores read_cores() {
  Cores cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) cores.allowed.push_back(core);
    }
  }
  std::ifstream file("/proc/self/cgroup");
  const std::string membership{std::istreambuf_iterator<char>(file), {}};
  cores.quota = control_group_quota(membership, std::string(kControlGroupRoot));
  return cores;
}

}  // namespace ringway
