#include "perf/src/loadgen/latency_histogram.h"

#include <algorithm>
#include <bit>

namespace ringway::loadgen {

void LatencyHistogram::add(Duration value) {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
  ++steps_[step_of(nanoseconds)];
  ++count_;
  max_ = std::max(max_, value);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i] += other.steps_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Duration LatencyHistogram::percentile(double fraction) const {
  if (count_ == 0) return Duration{0};
  const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    below += steps_[i];
    if (below > wanted || below == count_) {
      return std::min(Duration{static_cast<std::int64_t>(upper_edge(i))}, max_);
    }
  }
  return max_;
}

/// The first kSteps values have a step each; above, the bits behind the leading one choose it.
std::size_t LatencyHistogram::step_of(std::uint64_t nanoseconds) {
  if (nanoseconds < kSteps) return nanoseconds;
  const auto octave = static_cast<std::size_t>(std::bit_width(nanoseconds)) - kStepBits;
  const std::size_t step = octave * kSteps + ((nanoseconds >> (octave - 1)) - kSteps);
  return std::min(step, kSteps * kOctaves - 1);
}

std::uint64_t LatencyHistogram::upper_edge(std::size_t step) {
  if (step < kSteps) return step;
  const std::size_t octave = step / kSteps;
  return (kSteps + step % kSteps + 1) << (octave - 1);
}

}  // namespace ringway::loadgen
