#pragma once

#include "perf/src/loadgen/phase.h"

namespace ringway::loadgen {

/// Numbered packets from some clients to the echo behind the server and back:
///
///     clients=   how many of those connected (10)
///     pps=       packets a second of all together; 0: as many as `window` outstanding ones a
///                client allow, which measures throughput (0)
///     window=    (32)
///     size=      of the inner packet, 88 (IPv4) or 108 (IPv6) at least (512)
///     answers=   packets that the echo sends back for each; 0: uplink only, but for the final
///                count (1)
///     family=    of the inner packets, 4 or 6 (4)
///     seconds=   (5)
///
/// Reports what was sent, lost, reordered and duplicated in each direction, and how long each way
/// took: "up" to the echo, "down" from there.
Result<PhaseReport> run_traffic(const PhaseOrder& order, LoadLoop& loop, const EchoAddresses& echo);

}  // namespace ringway::loadgen
