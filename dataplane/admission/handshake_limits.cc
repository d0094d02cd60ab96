#include "dataplane/admission/handshake_limits.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace ringway {
namespace {

/// Only for IPv6; at whole bytes.
IpAddress network_of(const IpAddress& source, std::uint8_t length) {
  std::array<std::uint8_t, 16> bytes = source.bytes();
  std::fill(bytes.begin() + length / 8, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

RateLimit answers_of(const HandshakeLimits::Settings& settings, std::uint16_t self,
                     std::uint16_t worker_count) {
  if (settings.answers.count == 0) return {.count = HandshakeLimits::kAnswersPerWorker};
  return settings.answers.part_of(self, worker_count);
}

}  // namespace

RateLimit RateLimit::part_of(std::uint16_t self, std::uint16_t worker_count) const {
  RW_ASSERT(self < worker_count);
  if (count == 0) return *this;
  const std::uint32_t rest = self < count % worker_count ? 1 : 0;
  return {.count = std::max(count / worker_count + rest, 1u), .period = period};
}

RateLimit RateLimit::times(std::uint32_t factor) const {
  const std::uint64_t product = std::uint64_t{count} * factor;
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  return {.count = static_cast<std::uint32_t>(std::min(product, kMax)), .period = period};
}

bool PeriodCount::roll(Instant now) {
  if (now - start_ < limit_.period) return false;
  start_ = now;
  count_ = 0;
  return true;
}

HandshakeLimits::HandshakeLimits(const Settings& settings, std::uint16_t self,
                                 std::uint16_t worker_count)
    : shared_sources_(settings.shared_sources),
      answers_(answers_of(settings, self, worker_count),
               settings.from_one_source.times(kAnswersPerHandshake).part_of(self, worker_count),
               settings.hash),
      handshakes_(settings.handshakes.part_of(self, worker_count),
                  settings.from_one_source.part_of(self, worker_count), settings.hash) {}

bool HandshakeLimits::take_answer(const IpAddress& source, Instant now) {
  return answers_.take(source, is_shared(source), now);
}

bool HandshakeLimits::take_handshake(const IpAddress& source, Instant now) {
  return handshakes_.take(source, is_shared(source), now);
}

bool HandshakeLimits::is_shared(const IpAddress& source) const {
  return std::ranges::any_of(shared_sources_,
                             [&](const Prefix& prefix) { return prefix.contains(source); });
}

HandshakeLimits::Stage::Stage(const RateLimit& together, const RateLimit& from_one_source,
                              const AddressHash& hash)
    : together_(together),
      from_one_source_(from_one_source),
      v4_(hash),
      v6_(std::size(kLevels), SourceCounts(hash)) {}

/// What a source is refused does not count against the others.
bool HandshakeLimits::Stage::take(const IpAddress& source, bool is_shared, Instant now) {
  together_.roll(now);
  if (from_one_source_.roll(now)) {
    v4_.clear();
    for (SourceCounts& counts : v6_) counts.clear();
  }
  const bool counts_source = !is_shared && from_one_source_.limit().count > 0;
  if (counts_source && !is_left_of(source)) return false;
  if (!together_.is_left()) return false;
  together_.add();
  if (counts_source) count(source);
  return true;
}

bool HandshakeLimits::Stage::is_left_of(const IpAddress& source) const {
  const RateLimit& limit = from_one_source_.limit();
  if (source.is_v4()) return v4_.of(source) < limit.count;
  for (std::size_t i = 0; i < v6_.size(); ++i) {
    const IpAddress network = network_of(source, kLevels[i].length);
    if (v6_[i].of(network) >= limit.times(kLevels[i].factor).count) return false;
  }
  return true;
}

void HandshakeLimits::Stage::count(const IpAddress& source) {
  if (source.is_v4()) return v4_.add(source);
  for (std::size_t i = 0; i < v6_.size(); ++i) {
    v6_[i].add(network_of(source, kLevels[i].length));
  }
}

}  // namespace ringway
