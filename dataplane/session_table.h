#pragma once

#include <memory>
#include <vector>

#include "dataplane/channel/session.h"
#include "dataplane/datapath_settings.h"
#include "dataplane/flat_map.h"

namespace ringway {

/// The sessions of one worker by peer id, and whose DATA_V1 packets come from which endpoint.
///
/// The peers of a worker are those whose id leaves its number as the remainder (owner_of), so a
/// peer's slot is the quotient: a flat array without gaps. Pure; used on one worker. add() and
/// remove() may allocate, look-ups never do.
class SessionTable {
 public:
  explicit SessionTable(const DatapathSettings& settings);

  [[nodiscard]] bool owns(PeerId peer) const { return owner(peer) == self_; }
  [[nodiscard]] WorkerId owner(PeerId peer) const { return owner_of(peer, worker_count_); }

  /// A peer that this worker owns. A session of the same id is replaced.
  Session& add(PeerId peer, const LinkEndpoint& endpoint, const SessionSettings& settings,
               Instant now);
  /// A peer of another worker, whose packets may arrive here without a peer id.
  void add_foreign(PeerId peer, const LinkEndpoint& endpoint);
  /// The session, one of this table's, is reached there from now on. Where somebody else's
  /// datagrams without a peer id come from there, they still do.
  void move(Session& session, const LinkEndpoint& there, Instant now);
  /// Either kind. Does nothing when there is no such peer.
  void remove(PeerId peer);

  /// Null when the peer is unknown, or another worker's.
  [[nodiscard]] Session* find(PeerId peer) const {
    return peer.is_set() && owns(peer) ? at(slot_of(peer)) : nullptr;
  }
  /// Whose datagrams without a peer id come from there; not set when nobody's do.
  [[nodiscard]] PeerId find_endpoint(const LinkEndpoint& endpoint) const;

  // The array itself, for who walks it.
  [[nodiscard]] std::size_t slot_of(PeerId peer) const { return peer.value / worker_count_; }
  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] Session* at(std::size_t slot) const {
    return slot < slots_.size() ? slots_[slot].get() : nullptr;
  }

  [[nodiscard]] std::size_t session_count() const { return session_count_; }

 private:
  struct EndpointHash {
    AddressHash address_hash;
    std::uint64_t operator()(const LinkEndpoint& endpoint) const {
      return address_hash(endpoint.remote);
    }
  };
  struct PeerHash {
    std::uint64_t operator()(PeerId peer) const {
      return peer.value * std::uint64_t{0x9e3779b97f4a7c15} >> 32;
    }
  };

  void forget_endpoint(PeerId peer, const LinkEndpoint& endpoint);

  WorkerId self_;
  std::uint16_t worker_count_;
  KeyLimits key_limits_;
  std::vector<std::unique_ptr<Session>> slots_;
  std::size_t session_count_ = 0;
  FlatMap<LinkEndpoint, PeerId, EndpointHash> by_endpoint_;
  FlatMap<PeerId, LinkEndpoint, PeerHash> foreign_;
};

}  // namespace ringway
