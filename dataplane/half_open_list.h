#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/address.h"

namespace ringway {

/// The TCP connections that have not proven themselves, and which of them makes room when there are
/// too many: the oldest of the network that has the most of them; of several such networks, the one
/// whose oldest is the oldest of all.
///
/// So who opens connections by the thousand replaces his own, and not those of others. Networks are
/// IPv4 /24 and IPv6 /48, what one hostile customer may well have. There is no limit of its own for
/// a network, because behind a carrier's NAT (CGN, DS-Lite) hundreds of clients have one address,
/// and come back at once when a server was restarted.
///
/// Pure; bounded by its owner; allocates in add(). Looked up by ordered addresses, so that nobody
/// can aim at a bucket of a hash table (security goal A23).
class HalfOpenList {
 public:
  /// `slot` is not in the list.
  void add(std::uint32_t slot, const IpAddress& from);
  /// Nothing happens when it is not in the list.
  void remove(std::uint32_t slot);
  [[nodiscard]] bool contains(std::uint32_t slot) const { return places_.contains(slot); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  /// Who makes room; nothing when the list is empty.
  [[nodiscard]] std::optional<std::uint32_t> victim() const;

  /// The network that `address` counts for.
  [[nodiscard]] static Prefix network_of(const IpAddress& address);

 private:
  struct Turn {
    std::uint32_t slot = 0;
    std::uint64_t arrival = 0;
  };
  using Networks = std::map<Prefix, std::list<Turn>>;
  struct Place {
    Networks::iterator network;
    std::list<Turn>::iterator turn;
  };
  /// Of each network, oldest first.
  Networks networks_;
  std::uint64_t arrivals_ = 0;
  /// By slot; slots are ours.
  std::unordered_map<std::uint32_t, Place> places_;
};

}  // namespace ringway
