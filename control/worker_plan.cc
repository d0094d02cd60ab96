#include "control/worker_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

/// Before Linux 6.10.
constexpr std::uint16_t kGsoSegmentsMaxOld = 64;

std::uint16_t count_workers(const WorkerConfig& config, const Cores& cores) {
  std::size_t count = config.count;
  if (count == 0) {
    count = config.pinning == WorkerConfig::Pinning::Listed ? config.cores.size()
                                                            : cores.allowed.size();
    // Rounded to the nearest: a quota of 1.2 cores does not feed two workers.
    if (cores.quota) {
      count = std::min(count, static_cast<std::size_t>(std::lround(std::max(1.0, *cores.quota))));
    }
  }
  return static_cast<std::uint16_t>(std::clamp<std::size_t>(count, 1, TunDevice::kQueuesMax));
}

void plan_pinning(WorkerPlan& plan, const WorkerConfig& config, const Cores& cores) {
  switch (config.pinning) {
    case WorkerConfig::Pinning::Off: plan.pinning_reason = "worker-cores off"; return;
    case WorkerConfig::Pinning::Listed: plan.cores = config.cores; return;
    case WorkerConfig::Pinning::Auto: break;
  }
  if (cores.quota) {
    plan.pinning_reason = fmt::format("a control group grants {:.2f} cores", *cores.quota);
  } else if (plan.count != cores.allowed.size()) {
    plan.pinning_reason = fmt::format("{} cores may be used", cores.allowed.size());
  } else {
    plan.cores = cores.allowed;
  }
}

Offloads wanted_offloads(const WorkerConfig& config) {
  Offloads wanted{.link_gso = config.gso, .link_gro = config.gro, .tun = {}};
  if (config.like_6_1) wanted.link_gso_segments_max = kGsoSegmentsMaxOld;
  wanted.tun.tcp = config.tso;
  wanted.tun.udp = config.uso && !config.like_6_1;
  wanted.tun.checksum = wanted.tun.tcp || wanted.tun.udp;
  return wanted;
}

std::string state(bool is_on, bool is_wanted, std::string_view option, std::string_view reason) {
  if (is_on) return "on";
  return fmt::format("off ({})", is_wanted ? reason : option);
}

}  // namespace

WorkerPlan plan_workers(const WorkerConfig& config, const Cores& cores) {
  WorkerPlan plan{.count = count_workers(config, cores),
                  .cores = {},
                  .pinning_reason = {},
                  .offloads = wanted_offloads(config)};
  plan_pinning(plan, config, cores);
  return plan;
}

std::string offload_line(const Offloads& used, const WorkerConfig& config) {
  constexpr std::string_view kFailed = "its test at start failed";
  const std::string_view no_uso = config.like_6_1 ? "kernel-profile 6.1" : "Linux 6.2 has it first";
  return fmt::format("UDP GSO {}, GRO {}, TSO {}, USO {}",
                     state(used.link_gso, config.gso, "no-gso", kFailed),
                     state(used.link_gro, config.gro, "no-gro", kFailed),
                     state(used.tun.tcp, config.tso, "no-tso", kFailed),
                     state(used.tun.udp, config.uso, "no-uso", no_uso));
}

std::string worker_line(const WorkerPlan& plan) {
  const std::string workers = fmt::format("{} worker{}", plan.count, plan.count == 1 ? "" : "s");
  if (plan.cores.empty()) return fmt::format("{}, not pinned ({})", workers, plan.pinning_reason);
  const std::size_t used = std::min<std::size_t>(plan.count, plan.cores.size());
  return fmt::format(
      "{}, pinned to core{} {}", workers, used == 1 ? "" : "s",
      fmt::join(plan.cores.begin(), plan.cores.begin() + static_cast<std::ptrdiff_t>(used), ","));
}

void log_worker_plan(const WorkerPlan& plan, const WorkerConfig& config) {
  log::info("{}", worker_line(plan));
  log::info("{}", offload_line(plan.offloads, config));
}

}  // namespace ringway
