#pragma once

#include <poll.h>

#include "base/time.h"

namespace ringway {

/// A killed process leaves its sockets and its TUN device to its rings, which the kernel takes
/// apart some moments after the process is gone. Its successor waits for that, less than a second
/// (security goals R02, R24), before it says that something is in use.
inline constexpr Duration kPatience = 800ms;
inline constexpr int kRetryMs = 20;

/// `open`, which gives a Result, until it succeeds or kPatience is over. SHELL: sleeps.
template <typename Open>
auto open_patiently(const Open& open) {
  const Instant give_up = monotonic_now() + kPatience;
  auto opened = open();
  while (!opened && monotonic_now() < give_up) {
    ::poll(nullptr, 0, kRetryMs);
    opened = open();
  }
  return opened;
}

}  // namespace ringway
