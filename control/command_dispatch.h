#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "control/control_plane.h"
#include "dataplane/worker_group.h"
#include "tun/tun_steering.h"

namespace ringway {

/// Carries the control plane's commands to the workers' queues, each queue in order; what does not
/// fit waits here. Routes are told to the kernel's TUN steering on the way.
///
/// SHELL: used by the control thread.
class CommandDispatch {
 public:
  /// `steering` may be null: then the slow lane between workers does its work.
  CommandDispatch(WorkerGroup& workers, TunSteering* steering);

  /// Takes every command from `plane`. Returns false while some do not fit: then nothing may be
  /// sent to clients, because a key must be with its worker before its client learns of it.
  [[nodiscard]] bool deliver(ControlPlane& plane);
  /// To every worker, with the next deliver().
  void add_hint(const PathHint& hint);

 private:
  void steer(const AddressedCommand& addressed);
  bool push_waiting();

  WorkerGroup& workers_;
  TunSteering* steering_;
  std::vector<std::deque<WorkerCommand>> waiting_;
  std::vector<bool> to_wake_;
  bool steering_failed_ = false;
};

}  // namespace ringway
