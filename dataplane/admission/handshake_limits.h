#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/admission/source_counts.h"

namespace ringway {

/// At most `count` in each `period`. 0: no limit.
struct RateLimit {
  std::uint32_t count = 0;
  Duration period{1s};

  /// The part of worker `self` of `worker_count`: together they have `count`, but each at least 1,
  /// because a worker that admits nobody would lock out whom the kernel sends to it.
  [[nodiscard]] RateLimit part_of(std::uint16_t self, std::uint16_t worker_count) const;
  [[nodiscard]] RateLimit times(std::uint32_t factor) const;
};

/// What has happened in the present period. Pure value.
class PeriodCount {
 public:
  explicit PeriodCount(const RateLimit& limit) : limit_(limit) {}

  /// True when a new period has begun.
  bool roll(Instant now);
  [[nodiscard]] bool is_left() const { return limit_.count == 0 || count_ < limit_.count; }
  void add() { ++count_; }
  [[nodiscard]] const RateLimit& limit() const { return limit_; }

 private:
  RateLimit limit_;
  Instant start_;
  std::uint32_t count_ = 0;
};

/// How often strangers are served: by source, then all of them together. What is counted is
/// handshakes and never sessions, so that any number of clients may be connected from behind one
/// carrier's address. An IPv4 address and an IPv6 /64 have the same allowance, a /56 twice and a
/// /48 four times that.
///
/// Two limits of the same kind stand one behind the other: answers to first packets, which cost a
/// MAC (`connect-freq-initial`), and handshakes of who has returned the cookie, which cost TLS
/// (`connect-freq`). The second asks for nothing that the first has counted: whoever returns a
/// cookie is never refused because strangers use up the answers (security goal A04).
///
/// Pure; allocates in its constructor; 64 KiB a limit. One thread.
class HandshakeLimits {
 public:
  /// What one worker answers, about, while it does nothing else; half of what was measured.
  static constexpr std::uint32_t kAnswersPerWorker = 50'000;
  /// How many first packets are answered for each handshake that is allowed from a source: who is
  /// answered and does not hear it asks again.
  static constexpr std::uint32_t kAnswersPerHandshake = 4;
  /// `connect-freq-source`: what a carrier's address with thousands of clients needs when all of
  /// them come back at once.
  static constexpr RateLimit kFromOneSource{.count = 250, .period = 1s};

  struct Settings {
    /// Of all workers together; 0: kAnswersPerWorker each.
    RateLimit answers;
    RateLimit handshakes;
    /// Handshakes from one source.
    RateLimit from_one_source = kFromOneSource;
    /// Sources that only the limits of all together hold for: a carrier's or an office's NAT.
    std::vector<Prefix> shared_sources;
    AddressHash hash;
  };
  /// The part of worker `self` of `worker_count`.
  HandshakeLimits(const Settings& settings, std::uint16_t self, std::uint16_t worker_count);

  /// Whether a first packet is answered, and counts it if so. Not for TCP, whose handshake has
  /// proven the address.
  [[nodiscard]] bool take_answer(const IpAddress& source, Instant now);
  /// The same for a handshake of who has returned the cookie.
  [[nodiscard]] bool take_handshake(const IpAddress& source, Instant now);

 private:
  /// The networks that a source is in, each with so many times the allowance of the first.
  struct Level {
    std::uint8_t length;
    std::uint32_t factor;
  };
  static constexpr Level kLevels[] = {
      {.length = 64, .factor = 1}, {.length = 56, .factor = 2}, {.length = 48, .factor = 4}};

  class Stage {
   public:
    Stage(const RateLimit& together, const RateLimit& from_one_source, const AddressHash& hash);
    [[nodiscard]] bool take(const IpAddress& source, bool is_shared, Instant now);

   private:
    [[nodiscard]] bool is_left_of(const IpAddress& source) const;
    void count(const IpAddress& source);

    PeriodCount together_;
    PeriodCount from_one_source_;
    SourceCounts v4_;
    std::vector<SourceCounts> v6_;
  };

  [[nodiscard]] bool is_shared(const IpAddress& source) const;

  std::vector<Prefix> shared_sources_;
  Stage answers_;
  Stage handshakes_;
};

}  // namespace ringway
