#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/ids.h"

namespace ringway {

/// Which peer has which inner address or network, as the control thread sees it; the workers'
/// RouteTables have the owners alone. Of several peers that claim one network the newest has it,
/// and when that one leaves, the one before: a second router for a network stands in for the first.
///
/// Pure; used by one thread; at most `networks_max` networks.
class InnerRoutes {
 public:
  explicit InnerRoutes(std::size_t networks_max) : networks_max_(networks_max) {}

  struct Claimed {
    /// False: there is no room for another network, and nothing is changed.
    bool has_room = true;
    /// Whose it was until now.
    std::optional<PeerId> former;
  };
  /// `peer` has `network` from now on. Each peer claims each network once.
  Claimed claim(const Prefix& network, PeerId peer);

  struct Released {
    /// Until now it was this peer's.
    bool was_owner = false;
    /// Whose it is from now on; set when was_owner, if another peer has claimed it, too.
    std::optional<PeerId> heir;
  };
  /// Does nothing for a peer that has not claimed it.
  Released release(const Prefix& network, PeerId peer);

  [[nodiscard]] std::optional<PeerId> owner(const Prefix& network) const;
  [[nodiscard]] std::size_t size() const { return claims_.size(); }
  [[nodiscard]] std::size_t networks_max() const { return networks_max_; }

 private:
  std::size_t networks_max_;
  /// The newest claim last; never empty.
  std::map<Prefix, std::vector<PeerId>> claims_;
};

}  // namespace ringway
