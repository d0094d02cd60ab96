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
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (!it->lane.empty() && busy_lanes_.contains(it->lane)) continue;
    ProgramRequest request = std::move(*it);
    waiting_.erase(it);
    if (!request.lane.empty()) busy_lanes_.insert(request.lane);
    ++running_;
    return request;
  }
  return std::nullopt;
}

void ProgramQueue::end(const std::string& lane) {
  RW_ASSERT(running_ > 0);
  --running_;
  busy_lanes_.erase(lane);
}

bool ProgramQueue::forget(std::uint64_t id) {
  return std::erase_if(waiting_, [id](const ProgramRequest& r) { return r.id == id; }) > 0;
}

}  // namespace ringway
