#pragma once

#include <chrono>
#include <cstdint>

namespace ringway {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): 60s reads as it
                                       // is.

/// A moment of the monotonic clock (CLOCK_MONOTONIC), or of a simulation. Cores take it as an
/// argument and never read a clock. Pure value.
struct Instant {
  Duration since_start{0};

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant at, Duration by) { return {at.since_start + by}; }
  friend constexpr Instant operator-(Instant at, Duration by) { return {at.since_start - by}; }
  friend constexpr Duration operator-(Instant later, Instant earlier) {
    return later.since_start - earlier.since_start;
  }
};

/// Wall-clock UNIX seconds: certificates, cookies, replay stamps and status files. Pure value.
struct UnixTime {
  std::int64_t seconds = 0;
  friend constexpr auto operator<=>(const UnixTime&, const UnixTime&) = default;
};

/// Both clocks, read together once per turn of a shell's loop. Pure value.
struct Now {
  Instant instant;
  UnixTime wall;
};

/// The only places that read the machine's clocks.
Instant monotonic_now();
UnixTime wall_now();
inline Now read_clocks() { return {monotonic_now(), wall_now()}; }

}  // namespace ringway
