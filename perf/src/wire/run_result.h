#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "perf/src/wire/drop_places.h"
#include "perf/src/wire/latency.h"
#include "perf/src/wire/ledger.h"

namespace ringway::wire {

/// What one run has counted. Value.
struct RunResult {
  Tally tally;
  DropPlaces drops;
  /// Frames that were written into one network card and read from the other.
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  /// Frames that the kernel did not take.
  std::uint64_t refused = 0;
  /// Packets that were looked at byte by byte, and those of them that were not as sent.
  std::uint64_t checked = 0;
  std::uint64_t corrupted = 0;
  /// How often nothing came back for Window::kGiveUp.
  unsigned stalls = 0;
  /// Without what passed between blocks, and of this the time in which the generator had nothing
  /// to do but wait for the server.
  Duration wall{0};
  Duration waited{0};
  LatencyHistogram latency;
  /// The number of the last block, for the next run's ledger.
  std::uint32_t last_block = 0;

  /// One JSON object on one line, names as here, times in nanoseconds; without the block.
  [[nodiscard]] std::string to_json() const;
};

}  // namespace ringway::wire
