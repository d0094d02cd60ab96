#pragma once

#include "base/bytes.h"

namespace ringway {

/// Where session ids, key material and jitter come from. An interface because simulations must
/// replay from a seed. Used by one thread at a time.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableBytes out) = 0;
};

/// The kernel's generator, through libsodium.
class SystemRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) override;
};

/// A number in [0, bound); `bound` > 0. The bias of a 64-bit remainder is of no account for jitter.
inline std::uint64_t random_below(RandomSource& random, std::uint64_t bound) {
  std::uint8_t raw[8];
  random.fill(raw);
  return load_be64(raw) % bound;
}

}  // namespace ringway
