#include "control/programs/program_queue.h"

#include <utility>

#include "base/check.h"

namespace ringway {

bool ProgramQueue::add(ProgramRequest request) {
  if (waiting_.size() >= (request.is_news ? kWaitingWithNewsMax : kWaitingMax)) return false;
  waiting_.push_back(std::move(request));
  return true;
}

std::optional<ProgramRequest> ProgramQueue::next() {
  if (running_ >= kRunningMax) return std::nullopt;
  auto best = waiting_.end();
  std::size_t fewest = kRunningMax;
  for (auto it = waiting_.begin(); it != waiting_.end() && fewest > 0; ++it) {
    if (!it->lane.empty() && busy_lanes_.contains(it->lane)) continue;
    const auto running = running_of_.find(it->source);
    const std::size_t count = running == running_of_.end() ? 0 : running->second;
    if (count >= fewest) continue;
    best = it;
    fewest = count;
  }
  if (best == waiting_.end()) return std::nullopt;
  ProgramRequest request = std::move(*best);
  waiting_.erase(best);
  if (!request.lane.empty()) busy_lanes_.insert(request.lane);
  if (!request.source.empty()) ++running_of_[request.source];
  ++running_;
  return request;
}

void ProgramQueue::end(const ProgramRequest& request) {
  RW_ASSERT(running_ > 0);
  --running_;
  busy_lanes_.erase(request.lane);
  const auto same = running_of_.find(request.source);
  if (same != running_of_.end() && --same->second == 0) running_of_.erase(same);
}

bool ProgramQueue::forget(std::uint64_t id) {
  return std::erase_if(waiting_, [id](const ProgramRequest& r) { return r.id == id; }) > 0;
}

}  // namespace ringway
