#pragma once

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
  static constexpr std::uint32_t kBlockBits = 64;
  static constexpr std::uint32_t kBlocks = 32;
  /// How far behind the highest accepted id a packet may arrive. One block is always being
  /// refilled. Wide (OpenVPN's default is 64), because offloads and many queues reorder whole
  /// bursts.
  static constexpr std::uint32_t kSpan = (kBlocks - 1) * kBlockBits;

  /// Returns true, and remembers `packet_id`, the first time it is seen within kSpan of the
  /// highest. Call only after the packet's tag has been verified: a forged id must not move the
  /// window.
  [[nodiscard]] bool accept(PacketId packet_id);

  [[nodiscard]] PacketId highest() const { return {highest_}; }

 private:
  std::array<std::uint64_t, kBlocks> blocks_{};
  std::uint32_t highest_ = 0;
};

static_assert(ReplayWindow::kSpan >= 1024);
static_assert((ReplayWindow::kBlocks & (ReplayWindow::kBlocks - 1)) == 0,
              "block numbers wrap at 2^26, so the ring must divide it");

}  // namespace ringway
