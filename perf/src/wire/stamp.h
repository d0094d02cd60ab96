#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace ringway::wire {

/// What stands at the head of each inner packet's payload, so that whoever sees the packet again
/// knows which one it is. Pure value; big-endian on the wire:
///
///   client:32  sequence:32  index:32  block:32
struct Stamp {
  static constexpr std::size_t kSize = 16;

  /// Number of the client in the fleet.
  std::uint32_t client = 0;
  /// Counts the packets of this client in this block, from 0.
  std::uint32_t sequence = 0;
  /// Counts the packets of all clients in this block: finds the time of sending.
  std::uint32_t index = 0;
  /// Which block: what arrives after its block was closed is told apart.
  std::uint32_t block = 0;

  /// `out` has kSize bytes or more.
  void write(MutableBytes out) const;
  /// Nothing when there are too few bytes.
  [[nodiscard]] static std::optional<Stamp> read(Bytes payload);

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

}  // namespace ringway::wire
