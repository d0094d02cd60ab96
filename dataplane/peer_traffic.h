#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/time.h"

namespace ringway {

/// What went through the tunnel of one peer. Pure value.
struct PeerTrafficSample {
  std::uint64_t bytes_received = 0;  ///< link datagrams that authenticated
  std::uint64_t bytes_sent = 0;
  std::uint64_t payload_bytes = 0;  ///< inner packets, both ways
  Instant last_received;
  /// The largest outer packet that is sent to the peer, and whether one was seen to arrive.
  std::uint16_t path_mtu = 0;
  bool path_is_proven = false;
};

/// The traffic of every peer, for the status file: one row a peer id. The worker that owns a peer
/// writes its row once a second; any thread reads. Relaxed atomics: the numbers of a row may
/// be a second apart. All memory is allocated by the constructor.
class PeerTrafficTable {
 public:
  /// Peer ids from `peers_max` on are not kept.
  explicit PeerTrafficTable(std::uint32_t peers_max);

  /// The owner of `peer`.
  void publish(PeerId peer, const PeerTrafficSample& sample);
  /// The owner of `peer`, when its session ends: the next peer of this id starts at nothing.
  void clear(PeerId peer);
  /// Any thread. Nothing for ids outside the table.
  [[nodiscard]] std::optional<PeerTrafficSample> of(PeerId peer) const;

 private:
  struct Row {
    std::atomic<std::uint64_t> bytes_received{0};
    std::atomic<std::uint64_t> bytes_sent{0};
    std::atomic<std::uint64_t> payload_bytes{0};
    std::atomic<std::int64_t> last_received_ns{0};
    /// Its lowest bit says that it is proven; the rest is the size.
    std::atomic<std::uint32_t> path_mtu{0};
  };
  std::uint32_t peers_max_;
  std::unique_ptr<Row[]> rows_;
};

}  // namespace ringway
