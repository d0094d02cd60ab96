#include "control/peer_registry.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

PeerRegistry::PeerRegistry(std::uint16_t worker_count, std::uint32_t peers_max)
    : peers_max_(std::min(peers_max, PeerId::kUnset)),
      numbers_max_(numbers_max(worker_count, peers_max)),
      workers_(worker_count) {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i].next_fresh = static_cast<std::uint32_t>(i);
  }
}

std::uint32_t PeerRegistry::numbers_max(std::uint16_t worker_count, std::uint32_t peers_max) {
  RW_ASSERT(worker_count > 0);
  const std::uint64_t of_all = 2ull * peers_max;
  const std::uint64_t of_worker =
      std::min(of_all, std::max<std::uint64_t>(kNumbersOfWorkerMin, 2 * of_all / worker_count));
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(of_worker * worker_count, PeerId::kUnset));
}

std::optional<PeerId> PeerRegistry::acquire(ClientId client, std::string_view common_name,
                                            Instant now, std::optional<WorkerId> at) {
  if (peers_.size() >= peers_max_) return std::nullopt;
  Worker& worker = workers_.at(at ? at->value : least_loaded());
  const std::optional<PeerId> peer = take_number(worker, now);
  if (!peer) return std::nullopt;

  ++worker.peer_count;
  peers_.emplace(*peer, Peer{.client = client, .common_name = std::string(common_name)});
  if (!common_name.empty()) by_name_.emplace(common_name, client);
  return peer;
}

std::optional<PeerId> PeerRegistry::take_number(Worker& worker, Instant now) {
  while (!worker.resting.empty() && worker.resting.front().until <= now) {
    worker.free.insert(worker.resting.front().peer.value);
    worker.resting.pop_front();
  }
  if (!worker.free.empty()) {
    const PeerId peer{*worker.free.begin()};
    worker.free.erase(worker.free.begin());
    return peer;
  }
  // Beyond that the one that has rested longest serves, so that tables indexed by peer id stay
  // small.
  if (worker.next_fresh < numbers_max_) {
    const PeerId peer{worker.next_fresh};
    worker.next_fresh += static_cast<std::uint32_t>(workers_.size());
    return peer;
  }
  if (worker.resting.empty()) return std::nullopt;
  const PeerId peer = worker.resting.front().peer;
  worker.resting.pop_front();
  return peer;
}

void PeerRegistry::release(PeerId peer, Instant now) {
  const auto found = peers_.find(peer);
  RW_ASSERT(found != peers_.end());

  const auto [first, last] = by_name_.equal_range(found->second.common_name);
  for (auto it = first; it != last; ++it) {
    if (it->second == found->second.client) {
      by_name_.erase(it);
      break;
    }
  }
  Worker& worker = workers_[peer.value % workers_.size()];
  --worker.peer_count;
  worker.resting.push_back({.peer = peer, .until = now + kRest});
  peers_.erase(found);
}

std::optional<ClientId> PeerRegistry::find(PeerId peer) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  return found->second.client;
}

std::vector<ClientId> PeerRegistry::find_name(std::string_view common_name) const {
  std::vector<ClientId> clients;
  const auto [first, last] = by_name_.equal_range(std::string(common_name));
  for (auto it = first; it != last; ++it) clients.push_back(it->second);
  return clients;
}

std::size_t PeerRegistry::least_loaded() const {
  const auto least = std::ranges::min_element(workers_, {}, &Worker::peer_count);
  return static_cast<std::size_t>(least - workers_.begin());
}

}  // namespace ringway
