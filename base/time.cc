#include "base/time.h"

namespace ringway {

Instant monotonic_now() { return {std::chrono::steady_clock::now().time_since_epoch()}; }

UnixTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::seconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace ringway
