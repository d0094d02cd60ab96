#include "control/worker_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "dataplane/probe_wire.h"

namespace ringway {
namespace {

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
  if (config.like_6_1) wanted.link_gso_segments_max = GsoBatch::kSegmentsMaxOld;
  wanted.tun.tcp = config.tso;
  wanted.tun.udp = config.uso && !config.like_6_1;
  wanted.tun.checksum = wanted.tun.tcp || wanted.tun.udp;
  return wanted;
}

struct OffloadState {
  bool is_on = false;
  bool is_wanted = false;
  Proof proof = Proof::Unproven;
  std::string_view option;
};

std::string state_text(const OffloadState& state) {
  if (state.is_on) return state.proof == Proof::Works ? "on" : "on (unproven)";
  if (!state.is_wanted) return fmt::format("off ({})", state.option);
  return "off (its test at start failed)";
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

void apply_proof(WorkerPlan& plan, const LinkOffloadProof& proof) {
  plan.link_proof = proof;
  Offloads& offloads = plan.offloads;
  if (proof.gso == Proof::Fails) offloads.link_gso = false;
  if (proof.gro == Proof::Fails) offloads.link_gro = false;
  offloads.link_gso_segments_max = std::min(offloads.link_gso_segments_max, proof.segments_max);
}

void apply_proof(WorkerPlan& plan, const TunDevice& tun) {
  plan.tun_proof = tun.proof();
  plan.offloads.tun = tun.offloads();
}

std::string offload_line(const WorkerPlan& plan, const WorkerConfig& config) {
  const Offloads& used = plan.offloads;
  const bool wants_uso = config.uso && !config.like_6_1;
  const std::string uso = used.tun.udp || !wants_uso || plan.tun_proof.udp == Proof::Fails
                              ? state_text({used.tun.udp, wants_uso, plan.tun_proof.udp,
                                            config.uso ? "kernel-profile 6.1" : "no-uso"})
                              : "off (Linux 6.2 has it first)";
  return fmt::format("UDP GSO {}, GRO {}, TSO {}, USO {}",
                     state_text({used.link_gso, config.gso, plan.link_proof.gso, "no-gso"}),
                     state_text({used.link_gro, config.gro, plan.link_proof.gro, "no-gro"}),
                     state_text({used.tun.tcp, config.tso, plan.tun_proof.tcp, "no-tso"}), uso);
}

std::vector<std::string> offload_warnings(const WorkerPlan& plan) {
  std::vector<std::string> warnings;
  const LinkOffloadProof& link = plan.link_proof;
  if (link.gso == Proof::Fails || link.gro == Proof::Fails) {
    warnings.push_back(fmt::format(
        "trains of datagrams are not used, which costs much speed: {}; update the kernel, or write "
        "`no-gso` and `no-gro` to start without this test",
        link.reason));
  }
  if (plan.tun_proof.tcp == Proof::Fails) {
    warnings.emplace_back(
        "TCP super-packets are not used, which costs much speed: the TUN driver refuses their "
        "headers; update the kernel, or write `no-tso` to start without this test");
  }
  return warnings;
}

std::string worker_line(const WorkerPlan& plan) {
  const std::string workers = fmt::format("{} worker{}", plan.count, plan.count == 1 ? "" : "s");
  if (plan.cores.empty()) return fmt::format("{}, not pinned ({})", workers, plan.pinning_reason);
  const std::size_t used = std::min<std::size_t>(plan.count, plan.cores.size());
  return fmt::format(
      "{}, pinned to core{} {}", workers, used == 1 ? "" : "s",
      fmt::join(plan.cores.begin(), plan.cores.begin() + static_cast<std::ptrdiff_t>(used), ","));
}

void test_link_offloads(WorkerPlan& plan) {
  if (plan.offloads.link_gso || plan.offloads.link_gro) apply_proof(plan, probe_link_offloads());
}

void log_worker_plan(const WorkerPlan& plan, const WorkerConfig& config) {
  log::info("{}", worker_line(plan));
  log::info("{}", offload_line(plan, config));
  for (const std::string& warning : offload_warnings(plan)) log::warning("{}", warning);
}

}  // namespace ringway
