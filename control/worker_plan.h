#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/cores.h"
#include "dataplane/offload_probe.h"
#include "dataplane/offloads.h"
#include "tun/tun_device.h"

/// How many workers there are, where they run and what of the kernel they use: made from the
/// configuration and the machine, and corrected by what tests at start show. Pure unless it says
/// otherwise.
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
  /// What the tests of these have shown.
  LinkOffloadProof link_proof{.gso = Proof::Works, .gro = Proof::Works};
  SuperPacketProof tun_proof{.tcp = Proof::Works, .udp = Proof::Works};
};

/// Without `workers`, one for each core that may be used, and no more than a control group's quota
/// can keep busy. They are pinned by themselves only if each allowed core gets one of them and no
/// quota is set: with fewer workers than cores, or in a container that shares its host, several
/// servers would all choose the first cores, and the scheduler could not part them again.
WorkerPlan plan_workers(const WorkerConfig& config, const Cores& cores);

/// Takes away what failed. What could not be tested stays.
void apply_proof(WorkerPlan& plan, const LinkOffloadProof& proof);
void apply_proof(WorkerPlan& plan, const TunDevice& tun);

/// "UDP GSO on, GRO off (no-gro), TSO on (unproven), USO off (Linux 6.2 has it first)".
std::string offload_line(const WorkerPlan& plan, const WorkerConfig& config);
/// What an operator should look into: tests that failed, with advice.
std::vector<std::string> offload_warnings(const WorkerPlan& plan);
/// "2 workers, pinned to cores 0,1" or "... not pinned (a control group's quota ...)".
std::string worker_line(const WorkerPlan& plan);

/// SHELL: tries UDP_SEGMENT and UDP_GRO over loopback if they are wanted.
void test_link_offloads(WorkerPlan& plan);

/// Both lines, at the level of what happens at start, and the warnings.
void log_worker_plan(const WorkerPlan& plan, const WorkerConfig& config);

}  // namespace ringway
