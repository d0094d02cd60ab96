#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace ringway::wire {

/// How long things took: buckets that are an eighth of a power of two wide, so that a percentile is
/// right within 12.5 %. Pure value; fixed size.
class LatencyHistogram {
 public:
  void add(Duration latency);
  /// The upper end of the bucket in which the share (0.5, 0.99) falls; 0 without samples.
  [[nodiscard]] Duration percentile(double share) const;
  [[nodiscard]] Duration longest() const { return longest_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  static constexpr unsigned kStepBits = 3;
  static constexpr std::size_t kBuckets = std::size_t{64} << kStepBits;

  static std::size_t bucket_of(std::uint64_t ns);
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Duration longest_{0};
};

}  // namespace ringway::wire
