#include "dataplane/peer_traffic.h"

namespace ringway {

PeerTrafficTable::PeerTrafficTable(std::uint32_t peers_max)
    : peers_max_(peers_max), rows_(std::make_unique<Row[]>(peers_max)) {}

void PeerTrafficTable::publish(PeerId peer, const PeerTrafficSample& sample) {
  if (peer.value >= peers_max_) return;
  Row& row = rows_[peer.value];
  row.bytes_received.store(sample.bytes_received, std::memory_order_relaxed);
  row.bytes_sent.store(sample.bytes_sent, std::memory_order_relaxed);
  row.last_received_ns.store(sample.last_received.since_start.count(), std::memory_order_relaxed);
}

void PeerTrafficTable::clear(PeerId peer) { publish(peer, {}); }

std::optional<PeerTrafficSample> PeerTrafficTable::of(PeerId peer) const {
  if (peer.value >= peers_max_) return std::nullopt;
  const Row& row = rows_[peer.value];
  return PeerTrafficSample{
      .bytes_received = row.bytes_received.load(std::memory_order_relaxed),
      .bytes_sent = row.bytes_sent.load(std::memory_order_relaxed),
      .last_received = {Duration(row.last_received_ns.load(std::memory_order_relaxed))}};
}

}  // namespace ringway
