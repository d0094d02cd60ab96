#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "control/client.h"

namespace ringway {

/// The peer ids in use: which client has which, under which common name.
///
/// A peer id names its worker (owner_of), so choosing one places the client: on the worker with the
/// fewest peers, with that worker's lowest free number. A number that was given back rests for
/// kRest, so that late packets of its old holder are not taken for the new one's.
///
/// Pure; used by one thread; at most `peers_max` peers.
class PeerRegistry {
 public:
  /// Stock clients stop sending to a peer id within ping-restart, a minute or two.
  static constexpr Duration kRest = 60s;

  PeerRegistry(std::uint16_t worker_count, std::uint32_t peers_max);

  /// Numbers are below this. Each worker has its part: room for twice its share of the peers and as
  /// many at rest; where that is few, for all of them, because TCP connections, which do not move,
  /// may all meet at one worker.
  [[nodiscard]] static std::uint32_t numbers_max(std::uint16_t worker_count,
                                                 std::uint32_t peers_max);
  static constexpr std::uint32_t kNumbersOfWorkerMin = 512;

  /// Nothing when peers_max peers are in use. An empty name is not remembered. With `worker`, the
  /// number is one of that worker's: a TCP connection does not move.
  [[nodiscard]] std::optional<PeerId> acquire(ClientId client, std::string_view common_name,
                                              Instant now,
                                              std::optional<WorkerId> worker = std::nullopt);
  void release(PeerId peer, Instant now);

  [[nodiscard]] std::optional<ClientId> find(PeerId peer) const;
  /// The clients under one common name, in no order.
  [[nodiscard]] std::vector<ClientId> find_name(std::string_view common_name) const;
  [[nodiscard]] std::size_t size() const { return peers_.size(); }
  [[nodiscard]] std::uint32_t peers_max() const { return peers_max_; }

 private:
  struct Peer {
    ClientId client;
    std::string common_name;
  };
  struct Resting {
    PeerId peer;
    Instant until;
  };
  /// The numbers of one worker: worker, worker + worker_count, ...
  struct Worker {
    std::uint32_t peer_count = 0;
    std::uint32_t next_fresh = 0;
    std::set<std::uint32_t> free;
    std::deque<Resting> resting;
  };
  struct NumberHash {
    std::size_t operator()(PeerId peer) const { return peer.value; }
  };

  [[nodiscard]] std::size_t least_loaded() const;
  [[nodiscard]] std::optional<PeerId> take_number(Worker& worker, Instant now);

  std::uint32_t peers_max_;
  std::uint32_t numbers_max_;
  std::vector<Worker> workers_;
  std::unordered_map<PeerId, Peer, NumberHash> peers_;
  std::unordered_multimap<std::string, ClientId> by_name_;
};

}  // namespace ringway
