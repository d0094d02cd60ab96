#include "perf/src/wire/pace.h"

#include <optional>

namespace ringway::wire {
namespace {

/// Single packets are written in small batches, so that looking for what came out, which costs a
/// system call even when there is nothing, is not done for each.
constexpr std::size_t kPacketsBetweenReads = 16;

/// What the window lets through now, up to a batch; true when anything was written.
bool write_batch(Wires& wires, Window& window) {
  std::size_t written = 0;
  while (written < kPacketsBetweenReads) {
    const std::size_t load = wires.next_load();
    if (load == 0 || !window.has_room(load)) break;
    const Instant now = monotonic_now();
    window.send(load, now);
    wires.write_next(now);
    written += load;
  }
  return written > 0;
}

}  // namespace

bool wants_more(const RunPlan& plan, const RunResult& result, Instant start) {
  return result.wall < plan.duration && monotonic_now() - start < kElapsedFactor * plan.duration;
}

bool run_block(Wires& wires, const RunPlan& plan, RunResult& result) {
  const Instant start = monotonic_now();
  Window window(plan.window, start);
  std::optional<Instant> waiting_since;
  while ((wires.next_load() > 0 || window.in_flight() > 0) && window.stalls() < kStallsMax) {
    const bool wrote = write_batch(wires, window);
    const std::size_t came = wires.read_some();
    const Instant now = monotonic_now();
    if (came > 0) window.take_back(came, now);
    if (wrote || came > 0) {
      if (waiting_since) result.waited += now - *waiting_since;
      waiting_since.reset();
      continue;
    }
    if (!waiting_since) waiting_since = now;
    window.give_up_if_stalled(now);
  }
  result.wall += window.last_progress() - start;
  result.stalls += window.stalls();
  return window.stalls() < kStallsMax;
}

}  // namespace ringway::wire
