#include "perf/src/wire/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ringway::wire {

void LatencyHistogram::add(Duration latency) {
  const Duration positive = std::max(latency, Duration{0});
  ++buckets_[bucket_of(static_cast<std::uint64_t>(positive.count()))];
  ++count_;
  longest_ = std::max(longest_, positive);
}

Duration LatencyHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    passed += buckets_[i];
    if (passed >= wanted && passed > 0) {
      return std::min(Duration{static_cast<std::int64_t>(end_of(i))}, longest_);
    }
  }
  return Duration{0};
}

/// Below eight nanoseconds a bucket each; above, the three bits behind the leading one choose.
std::size_t LatencyHistogram::bucket_of(std::uint64_t ns) {
  constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
  if (ns < kSteps) return ns;
  const auto exponent = static_cast<unsigned>(std::bit_width(ns)) - 1 - kStepBits;
  return (std::size_t{exponent} + 1) * kSteps + ((ns >> exponent) - kSteps);
}

std::uint64_t LatencyHistogram::end_of(std::size_t bucket) {
  constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  if (bucket < kSteps) return bucket;
  const std::size_t exponent = bucket / kSteps - 1;
  return ((kSteps + bucket % kSteps + 1) << exponent) - 1;
}

}  // namespace ringway::wire
