#include "control/stall_watch.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ringway {

std::vector<StallWatch::Finding> StallWatch::look(std::span<const std::uint64_t> turns,
                                                  Instant now) {
  RW_ASSERT(turns.size() == watched_.size());
  const Duration passed =
      last_look_ ? std::min<Duration>(now - *last_look_, 2 * kInterval) : Duration{0};
  last_look_ = now;
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    if (const auto finding = judge(i, turns[i], passed, now)) findings.push_back(*finding);
  }
  return findings;
}

std::optional<StallWatch::Finding> StallWatch::judge(std::size_t worker, std::uint64_t turns,
                                                     Duration passed, Instant now) {
  Watched& watched = watched_[worker];
  const WorkerId id{static_cast<std::uint16_t>(worker)};
  if (turns != watched.turns) {
    watched.turns = turns;
    const Duration stalled = std::exchange(watched.stalled, Duration{0});
    if (!std::exchange(watched.is_noticed, false)) return std::nullopt;
    return Finding{.worker = id, .kind = Kind::GoesOn, .stalled = stalled};
  }
  watched.stalled += passed;
  if (watched.stalled >= kGiveUpAfter) {
    return Finding{.worker = id, .kind = Kind::IsLost, .stalled = watched.stalled};
  }
  if (watched.stalled < kNoticeAfter || watched.is_noticed) return std::nullopt;
  if (watched.noticed_at && now - *watched.noticed_at < kNoticeMin) return std::nullopt;
  watched.is_noticed = true;
  watched.noticed_at = now;
  return Finding{.worker = id, .kind = Kind::Stalls, .stalled = watched.stalled};
}

}  // namespace ringway
