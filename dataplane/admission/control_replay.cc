#include "dataplane/admission/control_replay.h"

#include <limits>

namespace ringway {

bool ControlReplay::accept(ReplayStamp stamp) {
  if (stamp.id == 0) return false;  // Senders count from 1.
  if (stamp.time < highest_.time) return false;
  if (stamp.time > highest_.time) {
    highest_ = stamp;
    seen_ = 1;
    return true;
  }

  // Bit n of seen_ stands for the id `highest_.id - n`.
  if (stamp.id > highest_.id) {
    const std::uint32_t ahead = stamp.id - highest_.id;
    seen_ = ahead >= kSpan ? 1 : seen_ << ahead | 1;
    highest_.id = stamp.id;
    return true;
  }
  const std::uint32_t behind = highest_.id - stamp.id;
  if (behind >= kSpan) return false;
  const std::uint64_t bit = std::uint64_t{1} << behind;
  if ((seen_ & bit) != 0) return false;
  seen_ |= bit;
  return true;
}

ReplayStamp ReplayCounter::next() {
  const ReplayStamp stamp = next_;
  if (next_.id == std::numeric_limits<std::uint32_t>::max()) {
    next_ = {.id = 1, .time = next_.time + 1};
  } else {
    ++next_.id;
  }
  return stamp;
}

}  // namespace ringway
