#include "dataplane/batch_pacer.h"

#include <algorithm>

namespace ringway {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

std::uint64_t nanoseconds(Duration time) { return static_cast<std::uint64_t>(time.count()); }

std::uint64_t per_second(std::uint64_t count, Duration time) {
  return count * kNanosecondsPerSecond / std::max<std::uint64_t>(nanoseconds(time), 1);
}

}  // namespace

void BatchPacer::note_turn(const TurnLoad& load) {
  if (load.arrivals > 0) {
    last_arrival_ = load.now;
    has_arrivals_ = true;
  }
  ++turns_;
  arrivals_ += load.arrivals;
  bytes_ += load.bytes;
  const Duration length = load.now - window_begin_;
  if (length >= kWindow) end_window(length, load.now);
}

void BatchPacer::end_window(Duration length, Instant now) {
  const std::uint64_t rate = per_second(arrivals_, length);
  // After a long sleep nothing that was before it counts.
  rate_ = length > 4 * kWindow ? rate : (rate_ + rate) / 2;
  const Duration wanted = now < paused_until_ ? Duration{0} : wanted_delay(length);
  if (wanted == Duration{0}) {
    delay_ = wanted;
    busy_windows_ = 0;
  } else if (busy_windows_ == kSettledWindows + kTrialWindows) {
    delay_ = wanted;
  } else if (++busy_windows_ >= kSettledWindows) {
    delay_ = wanted;
    if (busy_windows_ == kSettledWindows) rate_before_ = rate_;
    if (busy_windows_ == kSettledWindows + kTrialWindows) judge_trial(now);
  }
  window_begin_ = now;
  arrivals_ = 0;
  bytes_ = 0;
  turns_ = 0;
}

void BatchPacer::judge_trial(Instant now) {
  if (rate_ >= rate_before_ / 4 * 3) {
    pause_ = kPauseMin;
    return;
  }
  delay_ = Duration{0};
  busy_windows_ = 0;
  paused_until_ = now + pause_;
  pause_ = std::min(2 * pause_, kPauseMax);
}

Duration BatchPacer::wanted_delay(Duration length) const {
  const Duration longest = settings_.delay_max;
  if (longest == Duration{0} || settings_.busy_poll > Duration{0} || arrivals_ == 0) return {};
  if (bytes_ / arrivals_ >= kMergedSize) return {};
  const auto expected = [&](Duration wait) {
    return arrivals_ * nanoseconds(wait) / nanoseconds(length);
  };
  if (expected(longest) < kWorthwhile) return {};
  // What the turns found beyond that which the waiting brought.
  const std::uint64_t found = arrivals_ / turns_;
  const std::uint64_t waited_for = expected(delay_);
  const std::uint64_t unbidden = found > waited_for ? found - waited_for : 0;
  if (unbidden >= kEnough) return {};
  const auto wait =
      Duration(static_cast<Duration::rep>((kEnough - unbidden) * nanoseconds(length) / arrivals_));
  return std::min(wait, longest);
}

}  // namespace ringway
