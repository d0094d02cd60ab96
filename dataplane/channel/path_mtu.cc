#include "dataplane/channel/path_mtu.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ringway {
namespace {

constexpr Instant kNever{Duration::max()};

/// What paths carry, in ascending order: IPv6's minimum, tunnels, DS-Lite and PPPoE and both, 6in4,
/// Ethernet.
constexpr std::array<std::uint16_t, 10> kUsualSizes = {1280, 1400, 1420, 1440, 1452,
                                                       1460, 1472, 1480, 1492, PathMtu::kEthernet};

/// Sizes that differ by no more are as good as the same. Beyond Ethernet's, where nothing usual
/// lies between, a search byte by byte would take more probes than it is worth.
constexpr std::size_t grain(std::size_t size) { return size < PathMtu::kEthernet ? 8 : size / 16; }

std::uint16_t usual_below(std::size_t size, std::uint16_t floor) {
  const auto above = std::ranges::lower_bound(kUsualSizes, size);
  return above == kUsualSizes.begin() ? floor : std::max(*(above - 1), floor);
}

}  // namespace

PathMtu PathMtu::fixed(std::uint16_t size) {
  PathMtu path;
  path.assumed_ = size;
  return path;
}

PathMtu::PathMtu(const Limits& limits, Instant now)
    : phase_(Phase::Waiting),
      limits_{.floor = limits.floor, .ceiling = std::max(limits.floor, limits.ceiling)},
      next_at_(now + kStartDelay) {
  forget();
}

void PathMtu::forget() {
  assumed_ = std::min(kAssumed, limits_.ceiling);
  failed_ = static_cast<std::uint16_t>(limits_.ceiling + 1);
  was_optimistic_ = false;
}

void PathMtu::restart(const Limits& limits, Instant now) {
  if (phase_ == Phase::Disabled) return;
  const Counts counts = counts_;
  *this = PathMtu(limits, now);
  counts_ = counts;
  start(now);
}

void PathMtu::start(Instant now) {
  if (phase_ == Phase::Waiting) begin_base(now);
}

void PathMtu::retry(Instant now) {
  if (phase_ == Phase::Silent) begin_base(now);
}

Instant PathMtu::deadline() const {
  if (phase_ == Phase::Disabled) return kNever;
  if (probe_is_due_) return sent_at_;
  return probe_ != 0 ? sent_at_ + timeout_ : next_at_;
}

void PathMtu::handle_timeout(Instant now, bool in_use) {
  if (phase_ == Phase::Disabled || probe_is_due_) return;
  if (probe_ != 0) {
    if (now >= sent_at_ + timeout_) note_lost(now);
    return;
  }
  if (now < next_at_) return;
  switch (phase_) {
    case Phase::Waiting: return begin_base(now);
    case Phase::Silent: forget(); return begin_base(now);
    case Phase::Complete:
      if (now >= raise_at_) {
        forget();
        return search(now);
      }
      next_at_ = std::min(now + kConfirmInterval, raise_at_);
      if (in_use) confirm(now, kConfirmAttempts);
      return;
    default: return;
  }
}

std::optional<std::uint16_t> PathMtu::take_probe(Instant now) {
  if (!std::exchange(probe_is_due_, false)) return std::nullopt;
  sent_at_ = now;
  ++counts_.probes;
  return probe_;
}

void PathMtu::probe(std::uint16_t size) {
  probe_ = size;
  probe_is_due_ = true;
}

/// What is assumed comes first: most paths carry it, and a single answer then says so.
void PathMtu::begin_base(Instant now) {
  phase_ = Phase::Base;
  attempt_ = 0;
  sent_at_ = now;
  probe(assumed_);
}

void PathMtu::search(Instant now) {
  phase_ = Phase::Search;
  attempt_ = 0;
  attempts_max_ = kAttempts;
  sent_at_ = now;
  const std::uint16_t candidate = next_candidate();
  if (candidate == 0) return complete(now);
  probe(candidate);
}

/// 0 when the search has ended. Ethernet's size is likely, so that one probe is risked for it
/// before those that a narrow path would answer.
std::uint16_t PathMtu::next_candidate() {
  const auto is_open = [this](std::uint16_t size) { return size > proven_ && size < failed_; };
  if (const std::uint16_t hinted = std::exchange(hinted_, 0); is_open(hinted)) return hinted;
  const std::uint16_t likely = std::min(kEthernet, limits_.ceiling);
  if (proven_ >= kAssumed && !std::exchange(was_optimistic_, true) && is_open(likely)) {
    attempts_max_ = 1;
    return likely;
  }
  const auto usual = std::ranges::find_if(kUsualSizes, is_open);
  if (usual != kUsualSizes.end()) return *usual;
  if (is_open(limits_.ceiling)) return limits_.ceiling;
  const std::size_t gap = failed_ - std::size_t{proven_};
  if (gap <= grain(proven_)) return 0;
  return static_cast<std::uint16_t>(proven_ + gap / 2);
}

void PathMtu::complete(Instant now) {
  phase_ = Phase::Complete;
  is_measured_ = true;
  raise_at_ = now + kRaiseInterval;
  next_at_ = now + kConfirmInterval;
}

void PathMtu::confirm(Instant now, unsigned attempts) {
  phase_ = Phase::Confirm;
  attempt_ = 0;
  attempts_max_ = attempts;
  sent_at_ = now;
  probe(proven_);
}

void PathMtu::note_answer(std::size_t received, Instant now) {
  if (probe_ == 0 || probe_is_due_ || received < probe_) return;
  ++counts_.answers;
  timeout_ = std::clamp(3 * (now - sent_at_), kTimeoutMin, kTimeoutMax);
  note_arrived(now);
}

void PathMtu::note_arrived(Instant now) {
  const std::uint16_t size = std::exchange(probe_, 0);
  switch (phase_) {
    case Phase::Base:
    case Phase::Search: proven_ = std::max(proven_, size); return search(now);
    case Phase::Confirm:
      if (!is_measured_) return search(now);
      phase_ = Phase::Complete;
      next_at_ = std::min(now + kConfirmInterval, raise_at_);
      return;
    case Phase::Doubt:
      ++counts_.black_holes;
      failed_ = proven_;
      proven_ = size;
      // The likely size has had its chance; what is smaller gets through sooner.
      was_optimistic_ = true;
      is_measured_ = false;
      return search(now);
    default: return;
  }
}

void PathMtu::note_lost(Instant now) {
  const std::uint16_t size = std::exchange(probe_, 0);
  ++attempt_;
  sent_at_ = now;
  switch (phase_) {
    case Phase::Base:
      if (attempt_ <= kAttempts) return probe(fallback(attempt_));
      phase_ = Phase::Silent;
      next_at_ = now + kSilentInterval;
      return;
    case Phase::Search:
      if (attempt_ < attempts_max_) return probe(size);
      if (attempts_max_ == kAttempts) failed_ = std::min(failed_, size);
      return search(now);
    case Phase::Confirm:
      if (attempt_ < attempts_max_) return probe(size);
      phase_ = Phase::Doubt;
      attempt_ = 1;
      return probe(fallback(attempt_));
    case Phase::Doubt:
      if (attempt_ <= kAttempts) return probe(fallback(attempt_));
      // Nothing gets through, so that size has nothing to do with it.
      phase_ = Phase::Complete;
      next_at_ = now + kConfirmInterval;
      return;
    default: return;
  }
}

/// What to try where a larger size has failed: twice what nearly every path carries, because one
/// packet may always get lost, and then what every path carries.
std::uint16_t PathMtu::fallback(unsigned attempt) const {
  const std::uint16_t known = size();
  if (attempt >= kAttempts) return limits_.floor;
  return std::clamp(kFloorV6, limits_.floor, std::max(known, limits_.floor));
}

void PathMtu::note_refused(std::size_t size, Instant now) {
  if (phase_ == Phase::Disabled || size <= limits_.floor || size >= failed_) return;
  ++counts_.hints;
  failed_ = static_cast<std::uint16_t>(size);
  assumed_ = std::min(assumed_, usual_below(size, limits_.floor));
  const bool is_about_proven = proven_ >= size;
  if (is_about_proven) {
    proven_ = usual_below(size, limits_.floor);
    is_measured_ = false;
  } else if (probe_ < size) {
    return;
  }
  // What was to be found out, or was found out, is so no longer.
  probe_ = 0;
  probe_is_due_ = false;
  if (phase_ == Phase::Waiting || phase_ == Phase::Silent) return;
  if (proven_ == 0) return begin_base(now);
  was_optimistic_ = true;
  // The kernel knows more than the one size that it refused: asked at once, it costs no packets.
  is_about_proven ? confirm(now, kConfirmAttempts) : search(now);
}

void PathMtu::note_hint(std::size_t mtu, Instant now) {
  if (phase_ == Phase::Disabled || mtu >= size()) return;
  const auto hint = static_cast<std::uint16_t>(std::max<std::size_t>(mtu, limits_.floor));
  if (proven_ == 0) {
    if (hint < assumed_) ++counts_.hints;
    assumed_ = std::min(assumed_, hint);
    return;
  }
  if (phase_ != Phase::Complete || now < hint_at_) return;
  ++counts_.hints;
  hint_at_ = now + kHintInterval;
  hinted_ = hint;
  confirm(now, kAttempts);
}

}  // namespace ringway
