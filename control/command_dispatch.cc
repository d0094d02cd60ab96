#include "control/command_dispatch.h"

#include <utility>

#include "base/log.h"

namespace ringway {

CommandDispatch::CommandDispatch(WorkerGroup& workers, TunSteering* steering)
    : workers_(workers),
      steering_(steering),
      waiting_(workers.size()),
      to_wake_(workers.size(), false) {}

bool CommandDispatch::deliver(ControlPlane& plane) {
  while (std::optional<AddressedCommand> addressed = plane.poll_command()) {
    steer(*addressed);
    waiting_[addressed->worker.value].push_back(std::move(addressed->command));
  }
  const bool all_taken = push_waiting();
  for (std::uint16_t i = 0; i < workers_.size(); ++i) {
    if (to_wake_[i]) workers_.worker({i}).wake();
    to_wake_[i] = false;
  }
  return all_taken;
}

void CommandDispatch::add_hint(const PathHint& hint) {
  for (std::deque<WorkerCommand>& queue : waiting_) queue.push_back(hint);
}

bool CommandDispatch::push_waiting() {
  bool all_taken = true;
  for (std::uint16_t i = 0; i < workers_.size(); ++i) {
    std::deque<WorkerCommand>& queue = waiting_[i];
    while (!queue.empty()) {
      to_wake_[i] = true;
      if (!workers_.worker({i}).push(std::move(queue.front()))) {
        all_taken = false;
        break;
      }
      queue.pop_front();
    }
  }
  return all_taken;
}

void CommandDispatch::steer(const AddressedCommand& addressed) {
  // Routes go to every worker; the kernel needs to hear of each once.
  if (steering_ == nullptr || addressed.worker != WorkerId{0}) return;
  if (const AddRoute* route = std::get_if<AddRoute>(&addressed.command)) {
    const bool is_set =
        steering_->set_owner(route->prefix, owner_of(route->peer_id, workers_.size()));
    if (!is_set && !std::exchange(steering_failed_, true)) {
      log::warning(
          "the kernel does not take {} into the TUN's steering map; packets that reach "
          "the wrong worker are passed on",
          route->prefix.to_string());
    }
  } else if (const RemoveRoute* gone = std::get_if<RemoveRoute>(&addressed.command)) {
    steering_->remove(gone->prefix);
  }
}

}  // namespace ringway
