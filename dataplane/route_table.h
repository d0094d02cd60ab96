#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "dataplane/datapath_settings.h"
#include "dataplane/flat_map.h"

namespace ringway {

/// Which peer an inner address belongs to: hosts first, then prefixes by longest match. It answers
/// both "where does this packet go" and "may this client use that source".
///
/// An address of a tunnel network belongs to a peer by a route inside that network only: a client
/// that is the way to 0.0.0.0/0 does not thereby own its neighbours' addresses, nor the free ones.
///
/// Pure. Every worker has its own replica, changed by commands and read for each packet; find()
/// never allocates. One hashed look-up for each prefix length in use.
class RouteTable {
 public:
  /// More routes than so many for each session are refused.
  static constexpr std::size_t kRoutesPerSession = 16;

  explicit RouteTable(const DatapathSettings& settings);

  /// The latest owner of a prefix counts. False, and nothing is changed, when the table is full or
  /// the length impossible: then nobody owns what is not in the table.
  bool add(const Prefix& prefix, PeerId peer);
  /// Does nothing when `prefix` is another peer's by now.
  void remove(const Prefix& prefix, PeerId peer);

  /// Not set when no peer has it.
  [[nodiscard]] PeerId find(const IpAddress& address) const;

  [[nodiscard]] std::size_t size() const { return routes_.size(); }
  /// Changes whenever an answer of find() may.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  // Lengths count from the top of the 128 bits, so that an IPv4 /24 is 120 here.
  static constexpr std::uint8_t kHostBits = 128;
  struct Network {
    IpAddress address;
    std::uint8_t bits = 0;
    friend bool operator==(const Network&, const Network&) = default;
  };
  struct NetworkHash {
    AddressHash address_hash;
    std::uint64_t operator()(const Network& network) const;
  };
  // The lengths that routes of one family have, longest first, and how many have each.
  struct Lengths {
    std::array<std::uint32_t, kHostBits + 1> counts{};
    std::vector<std::uint8_t> in_use;
    void add(std::uint8_t bits);
    void remove(std::uint8_t bits);
  };

  static std::optional<Network> network_of(const Prefix& prefix);
  [[nodiscard]] Lengths& lengths_of(const Network& network) {
    return network.address.is_v4() ? v4_lengths_ : v6_lengths_;
  }
  [[nodiscard]] std::uint8_t shortest_for(const IpAddress& address) const;

  std::size_t routes_max_;
  std::uint64_t generation_ = 1;
  std::optional<Prefix> pool_v4_;
  std::optional<Prefix> pool_v6_;
  FlatMap<Network, PeerId, NetworkHash> routes_;
  Lengths v4_lengths_;
  Lengths v6_lengths_;
};

}  // namespace ringway
