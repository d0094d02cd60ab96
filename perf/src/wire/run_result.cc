#include "perf/src/wire/run_result.h"

#include <fmt/format.h>

namespace ringway::wire {

std::string RunResult::to_json() const {
  return fmt::format(
      R"({{"sent":{},"received":{},"lost":{},"reordered":{},"duplicated":{},"strange":{},)"
      R"("drops":{{"outer_queue":{},"inner_queue":{},"server_tun":{},"server_socket":{}}},)"
      R"("frames_in":{},"frames_out":{},"refused":{},"checked":{},"corrupted":{},"stalls":{},)"
      R"("wall_ns":{},"waited_ns":{},"latency_ns":{{"p50":{},"p99":{},"max":{},"count":{}}}}})",
      tally.sent, tally.received, tally.lost(), tally.reordered, tally.duplicated, tally.strange,
      drops.outer_queue, drops.inner_queue, drops.server_tun, drops.server_socket, frames_in,
      frames_out, refused, checked, corrupted, stalls, wall.count(), waited.count(),
      latency.percentile(0.5).count(), latency.percentile(0.99).count(), latency.longest().count(),
      latency.count());
}

}  // namespace ringway::wire
