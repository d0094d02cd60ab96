#include "control/deadline_queue.h"

namespace ringway {

void DeadlineQueue::set(ClientId client, std::optional<Instant> deadline) {
  const auto known = deadlines_.find(client);
  if (known != deadlines_.end()) {
    if (deadline && *deadline == known->second) return;
    queue_.erase({known->second, client});
    if (!deadline) {
      deadlines_.erase(known);
      return;
    }
    known->second = *deadline;
  } else if (deadline) {
    deadlines_[client] = *deadline;
  }
  if (deadline) queue_.insert({*deadline, client});
}

std::optional<Instant> DeadlineQueue::next() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::optional<ClientId> DeadlineQueue::take_due(Instant now) {
  if (queue_.empty() || queue_.begin()->first > now) return std::nullopt;
  const ClientId client = queue_.begin()->second;
  queue_.erase(queue_.begin());
  deadlines_.erase(client);
  return client;
}

}  // namespace ringway
