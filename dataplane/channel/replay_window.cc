#include "dataplane/channel/replay_window.h"

#include <algorithm>

namespace ringway {

bool ReplayWindow::accept(PacketId packet_id) {
  const std::uint32_t id = packet_id.value;
  if (id == 0) return false;  // The first id of a key is 1.
  if (id < highest_ && highest_ - id >= kSpan) return false;

  const std::uint32_t block = id / kBlockBits;
  if (id > highest_) {
    const std::uint32_t highest_block = highest_ / kBlockBits;
    const std::uint32_t entered = std::min(block - highest_block, kBlocks);
    for (std::uint32_t i = 1; i <= entered; ++i) blocks_[(highest_block + i) % kBlocks] = 0;
    highest_ = id;
  }

  std::uint64_t& seen = blocks_[block % kBlocks];
  const std::uint64_t bit = std::uint64_t{1} << id % kBlockBits;
  if (seen & bit) return false;
  seen |= bit;
  return true;
}

}  // namespace ringway
