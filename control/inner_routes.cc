#include "control/inner_routes.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {

InnerRoutes::Claimed InnerRoutes::claim(const Prefix& network, PeerId peer) {
  const auto found = claims_.find(network);
  if (found == claims_.end()) {
    if (claims_.size() >= networks_max_) return {.has_room = false, .former = std::nullopt};
    claims_[network] = {peer};
    return {};
  }
  std::vector<PeerId>& peers = found->second;
  RW_ASSERT(std::ranges::find(peers, peer) == peers.end());
  const PeerId former = peers.back();
  peers.push_back(peer);
  return {.has_room = true, .former = former};
}

InnerRoutes::Released InnerRoutes::release(const Prefix& network, PeerId peer) {
  const auto found = claims_.find(network);
  if (found == claims_.end()) return {};
  std::vector<PeerId>& peers = found->second;
  const bool was_owner = peers.back() == peer;
  std::erase(peers, peer);
  if (peers.empty()) {
    claims_.erase(found);
    return {.was_owner = was_owner, .heir = std::nullopt};
  }
  return {.was_owner = was_owner, .heir = was_owner ? std::optional(peers.back()) : std::nullopt};
}

std::optional<PeerId> InnerRoutes::owner(const Prefix& network) const {
  const auto found = claims_.find(network);
  if (found == claims_.end()) return std::nullopt;
  return found->second.back();
}

}  // namespace ringway
