#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dataplane/channel/packet_id.h"

namespace ringway {

/// Remembers which packet ids of one key have been accepted, so that none is accepted twice.
///
/// The bitmap of RFC 6479: it slides by whole 64-bit blocks, so advancing never shifts bits.
/// Pure; 264 bytes; never allocates. Owned by one KeyState, used on its session's worker.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kBlockBits = 64;
  static constexpr std::uint64_t kBlocks = 32;
  /// How far behind the highest accepted id a packet may arrive. One block is always being
  /// refilled. Wide (OpenVPN's default is 64), because offloads and many queues reorder whole
  /// bursts.
  static constexpr std::uint64_t kSpan = (kBlocks - 1) * kBlockBits;

  /// Returns true, and remembers `packet_id`, the first time it is seen within kSpan of the
  /// highest. In the epoch format it is the counter alone, as each epoch has a window. Call only
  /// after the packet's tag has been verified: a forged id must not move the window.
  [[nodiscard]] bool accept(PacketId packet_id);

  [[nodiscard]] PacketId highest() const { return {highest_}; }

 private:
  std::array<std::uint64_t, kBlocks> blocks_{};
  std::uint64_t highest_ = 0;
};

// Here, so that it is inlined into both formats of packets.
inline bool ReplayWindow::accept(PacketId packet_id) {
  const std::uint64_t id = packet_id.value;
  if (id == 0) return false;  // The first id of a key is 1.
  if (id < highest_ && highest_ - id >= kSpan) return false;

  const std::uint64_t block = id / kBlockBits;
  if (id > highest_) {
    const std::uint64_t highest_block = highest_ / kBlockBits;
    const std::uint64_t entered = std::min(block - highest_block, kBlocks);
    for (std::uint64_t i = 1; i <= entered; ++i) blocks_[(highest_block + i) % kBlocks] = 0;
    highest_ = id;
  }

  std::uint64_t& seen = blocks_[block % kBlocks];
  const std::uint64_t bit = std::uint64_t{1} << id % kBlockBits;
  if (seen & bit) return false;
  seen |= bit;
  return true;
}

static_assert(ReplayWindow::kSpan >= 1024);
static_assert((ReplayWindow::kBlocks & (ReplayWindow::kBlocks - 1)) == 0,
              "the place of a block in the ring is a mask");

}  // namespace ringway
