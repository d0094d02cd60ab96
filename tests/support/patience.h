#pragma once

#include <poll.h>

/// Waiting for events of the kernel, with an end.
namespace ringway::test {

/// Long enough for a loaded machine; a test that passes never waits for it.
inline constexpr int kPatienceMs = 10'000;

inline bool is_readable(int fd, int patience_ms = kPatienceMs) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, patience_ms) == 1;
}

}  // namespace ringway::test
