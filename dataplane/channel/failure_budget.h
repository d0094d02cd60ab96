#pragma once

#include <cstdint>

#include "base/time.h"

namespace ringway {

/// How many failures a second somebody pays for; what comes when they are used up is not tried.
/// Pure value.
class FailureBudget {
 public:
  explicit constexpr FailureBudget(std::uint32_t per_second) : per_second_(per_second) {}

  [[nodiscard]] bool is_left(Instant now) const {
    return spent_ < per_second_ || now - second_start_ >= 1s;
  }
  void note_failure(Instant now) {
    if (now - second_start_ >= 1s) {
      second_start_ = now;
      spent_ = 0;
    }
    if (spent_ < per_second_) ++spent_;
  }

 private:
  std::uint32_t per_second_;
  std::uint32_t spent_ = 0;
  Instant second_start_;
};

}  // namespace ringway
