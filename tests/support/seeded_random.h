#pragma once

#include <cstdint>

#include "base/random.h"

namespace ringway::test {

/// Dice that replay from a seed (SplitMix64).
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next());
  }
  /// True once in a while: `chance` of 1.
  bool happens(double chance) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < chance; }

 private:
  std::uint64_t state_;
};

}  // namespace ringway::test
