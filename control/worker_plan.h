#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/cores.h"
#include "dataplane/offloads.h"

/// How many workers there are, where they run and what of the kernel they use: made from the
/// configuration and the machine before anything is opened. Pure, but for log_worker_plan().
namespace ringway {

struct WorkerPlan {
  /// At least one.
  std::uint16_t count = 1;
  /// Worker i runs on core i of these, in turn. Empty: the scheduler chooses.
  std::vector<unsigned> cores;
  /// Why the workers are, or are not, pinned.
  std::string pinning_reason;
  /// What is wanted; what the kernel does not grant is taken away by those who open things.
  Offloads offloads;
};

/// Without `workers`, one for each core that may be used, and no more than a control group's quota
/// can keep busy. They are pinned by themselves only if each allowed core gets one of them and no
/// quota is set: with fewer workers than cores, or in a container that shares its host, several
/// servers would all choose the first cores, and the scheduler could not part them again.
WorkerPlan plan_workers(const WorkerConfig& config, const Cores& cores);

/// "UDP GSO on, GRO off (no-gro), TSO on, USO off (the kernel has none: Linux 6.2)". `used` is what
/// remains of what `config` wants.
std::string offload_line(const Offloads& used, const WorkerConfig& config);
/// "2 workers, pinned to cores 0,1" or "... not pinned (a control group's quota ...)".
std::string worker_line(const WorkerPlan& plan);

/// Both lines, at the level of what happens at start.
void log_worker_plan(const WorkerPlan& plan, const WorkerConfig& config);

}  // namespace ringway
