#pragma once

#include <cstdint>

#include "base/time.h"

namespace ringway {

/// What the operator allows. Value.
struct PacingSettings {
  /// The longest that a packet waits for others while the worker could handle it; 0: never.
  Duration delay_max{0};
  /// How long after the last packet the worker keeps looking before it sleeps; 0: not at all. With
  /// it the worker never waits for a batch: whoever pays a core for latency does not want both.
  Duration busy_poll{0};
};

/// What one turn of the loop found. Value.
struct TurnLoad {
  /// The turn's one reading of the clock.
  Instant now;
  /// Receives and reads that completed: a train or a super-packet is one.
  std::uint32_t arrivals = 0;
  std::uint64_t bytes = 0;
};

/// Decides how a worker waits for its next turn, in the manner of a NIC's interrupt moderation.
///
/// A turn costs the same whether it handles one packet or thirty. When packets come fast and one by
/// one, waiting some tens of microseconds before looking makes batches of them; when they come
/// merged already, or seldom, waiting would only add delay. So it waits only while all of this
/// holds, judged over windows of a millisecond:
///
/// - at least kWorthwhile packets are likely to come during the wait;
/// - the turns would find fewer than kEnough packets without it;
/// - a packet is small: trains and super-packets are batches of their own.
///
/// It begins when that has held for kSettledWindows. The next windows are a trial: if fewer packets
/// come than before, because senders wait for each answer in turn, waiting stops for a while, and
/// for longer after each trial that fails. A worker that was idle answers the next packet at once.
///
/// Pure; one thread; a few dozen bytes. What a wait adds to a packet's way is at most delay_max.
class BatchPacer {
 public:
  static constexpr Duration kWindow = 1ms;
  static constexpr std::uint64_t kWorthwhile = 2;
  static constexpr std::uint64_t kEnough = 32;
  static constexpr std::uint64_t kMergedSize = 4096;
  static constexpr int kSettledWindows = 3;
  static constexpr int kTrialWindows = 8;
  static constexpr Duration kPauseMin = 100ms;
  static constexpr Duration kPauseMax = 1600ms;

  explicit BatchPacer(const PacingSettings& settings) : settings_(settings) {}

  /// After each turn.
  void note_turn(const TurnLoad& load);

  /// How long the next wait lasts whatever arrives meanwhile; 0: it ends with the first arrival.
  [[nodiscard]] Duration delay() const { return delay_; }
  /// The next turn follows at once, without sleeping. `now` as in the last note_turn().
  [[nodiscard]] bool spins(Instant now) const {
    return settings_.busy_poll > Duration{0} && has_arrivals_ &&
           now - last_arrival_ < settings_.busy_poll;
  }

 private:
  void end_window(Duration length, Instant now);
  void judge_trial(Instant now);
  [[nodiscard]] Duration wanted_delay(Duration length) const;

  PacingSettings settings_;
  Duration delay_{0};

  Instant window_begin_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t turns_ = 0;

  /// Arrivals a second: the mean of late, and what it was when waiting began.
  std::uint64_t rate_ = 0;
  std::uint64_t rate_before_ = 0;
  /// Windows in a row in which waiting seemed worthwhile.
  int busy_windows_ = 0;
  Duration pause_ = kPauseMin;
  Instant paused_until_;

  Instant last_arrival_;
  bool has_arrivals_ = false;
};

}  // namespace ringway
