#include "control/activity_watch.h"

#include <algorithm>

namespace ringway {

void ActivityWatch::note(std::uint64_t payload_bytes, Instant now) {
  // A worker that has begun to count anew.
  if (payload_bytes < counted_) counted_ = 0;
  if (payload_bytes - counted_ < std::max<std::uint64_t>(limit_.bytes, 1)) return;
  counted_ = payload_bytes;
  active_at_ = now;
}

}  // namespace ringway
