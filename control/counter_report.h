#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/drop.h"
#include "dataplane/counters.h"

namespace ringway {

/// What was counted since the start, for the log: a line each for what the workers carried, for
/// what they and the control channel dropped, by reason, and for the errors of the kernel. Counts
/// of zero are left out, but for the hand-overs between workers: their being zero says that
/// steering works. Pure.
std::string counter_report(const CounterSnapshot& workers,
                           const std::array<std::uint64_t, kDropCount>& control_drops);

}  // namespace ringway
