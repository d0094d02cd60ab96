#pragma once

#include <cstdint>

#include "base/address.h"
#include "perf/src/wire/nic.h"
#include "perf/src/wire/run_plan.h"
#include "perf/src/wire/run_result.h"
#include "perf/src/wire/window.h"

namespace ringway::wire {

/// The two network cards; both outlive the run. Value.
struct Cards {
  Nic& outer;
  Nic& inner;
};

/// What a run needs to know of the world before it. Value.
struct RunStart {
  /// Where uploads go and downloads come from.
  IpAddress internet;
  /// RunResult::last_block of the run before.
  std::uint32_t last_block = 0;
};

/// The two halves of a timed block. SHELL: each call is one or a few system calls.
class Wires {
 public:
  virtual ~Wires() = default;

  /// How many packets the next frame to be written has; 0 when the block has none left.
  [[nodiscard]] virtual std::size_t next_load() const = 0;
  virtual void write_next(Instant now) = 0;
  /// Reads what is there, a batch at most, and returns how many packets of this block came.
  virtual std::size_t read_some() = 0;
};

/// A run may take so many times its duration, sealing and idle gaps included: a very fast server
/// would make it long.
inline constexpr int kElapsedFactor = 3;
/// False when the run has measured enough, or has taken too long over it.
[[nodiscard]] bool wants_more(const RunPlan& plan, const RunResult& result, Instant start);

inline constexpr unsigned kStallsMax = 20;
/// Writes as much as the window lets through and reads what comes out, until all came out or was
/// given up. Adds the time to `result`, up to the last packet that came. False when the server has
/// stalled kStallsMax times: it would not get through the block in reasonable time.
[[nodiscard]] bool run_block(Wires& wires, const RunPlan& plan, RunResult& result);

}  // namespace ringway::wire
