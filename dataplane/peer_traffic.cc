#include "dataplane/peer_traffic.h"

namespace ringway {

PeerTrafficTable::PeerTrafficTable(std::uint32_t peers_max)
    : peers_max_(peers_max), rows_(std::make_unique<Row[]>(peers_max)) {}

void PeerTrafficTable::publish(PeerId peer, const PeerTrafficSample& sample) {
  if (peer.value >= peers_max_) return;
  Row& row = rows_[peer.value];
  row.bytes_received.store(sample.bytes_received, std::memory_order_relaxed);
  row.bytes_sent.store(sample.bytes_sent, std::memory_order_relaxed);
  row.payload_bytes.store(sample.payload_bytes, std::memory_order_relaxed);
  row.last_received_ns.store(sample.last_received.since_start.count(), std::memory_order_relaxed);
  row.path_mtu.store(sample.path_mtu * 2u + (sample.path_is_proven ? 1u : 0u),
                     std::memory_order_relaxed);
}

void PeerTrafficTable::clear(PeerId peer) { publish(peer, {}); }

std::optional<PeerTrafficSample> PeerTrafficTable::of(PeerId peer) const {
  if (peer.value >= peers_max_) return std::nullopt;
  const Row& row = rows_[peer.value];
  const std::uint32_t path_mtu = row.path_mtu.load(std::memory_order_relaxed);
  return PeerTrafficSample{
      .bytes_received = row.bytes_received.load(std::memory_order_relaxed),
      .bytes_sent = row.bytes_sent.load(std::memory_order_relaxed),
      .payload_bytes = row.payload_bytes.load(std::memory_order_relaxed),
      .last_received = {Duration(row.last_received_ns.load(std::memory_order_relaxed))},
      .path_mtu = static_cast<std::uint16_t>(path_mtu / 2),
      .path_is_proven = path_mtu % 2 != 0};
}

}  // namespace ringway
