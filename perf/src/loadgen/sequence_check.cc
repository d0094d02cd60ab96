#include "perf/src/loadgen/sequence_check.h"

namespace ringway::loadgen {

void SequenceCheck::note(std::uint64_t number) {
  if (number >= next_) {
    if (number - next_ >= kWindow) {
      seen_.reset();
    } else {
      for (std::uint64_t skipped = next_; skipped < number; ++skipped)
        seen_.reset(skipped % kWindow);
    }
    seen_.set(number % kWindow);
    next_ = number + 1;
    ++received_;
    return;
  }
  if (next_ - number <= kWindow && seen_.test(number % kWindow)) {
    ++duplicated_;
    return;
  }
  if (next_ - number <= kWindow) seen_.set(number % kWindow);
  ++received_;
  ++reordered_;
}

}  // namespace ringway::loadgen
