#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace ringway::loadgen {

/// How often which duration occurred, for percentiles: log-linear, 32 steps to an octave, so that a
/// percentile is at most 3 % off; from a nanosecond to five hours. Pure value of fixed size.
class LatencyHistogram {
 public:
  void add(Duration value);
  void add(const LatencyHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The upper edge of the step that holds the value below which `fraction` of all lie; zero when
  /// there are none.
  [[nodiscard]] Duration percentile(double fraction) const;
  [[nodiscard]] Duration max() const { return max_; }

 private:
  static constexpr unsigned kStepBits = 5;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  static constexpr std::size_t kOctaves = 40;
  static std::size_t step_of(std::uint64_t nanoseconds);
  static std::uint64_t upper_edge(std::size_t step);

  std::array<std::uint64_t, kSteps * kOctaves> steps_{};
  std::uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace ringway::loadgen
