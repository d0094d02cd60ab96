#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace ringway::wire {

/// How many packets may be under way at once: it keeps the server's queues filled and never runs
/// them over, so that the server is saturated and yet loses nothing by being slow. What does not
/// come back is given up after kGiveUp. Pure value.
class Window {
 public:
  static constexpr Duration kGiveUp = 250ms;

  Window(std::size_t limit, Instant now) : limit_(limit), last_progress_(now) {}

  /// One load always fits into an empty window, however large.
  [[nodiscard]] bool has_room(std::size_t packets) const {
    return in_flight_ == 0 || in_flight_ + packets <= limit_;
  }
  void send(std::size_t packets, Instant now) {
    if (in_flight_ == 0) last_progress_ = now;
    in_flight_ += packets;
  }
  void take_back(std::size_t packets, Instant now) {
    in_flight_ -= std::min(in_flight_, packets);
    last_progress_ = now;
  }
  /// Forgets what is under way when nothing has come back for too long.
  void give_up_if_stalled(Instant now) {
    if (in_flight_ == 0 || now - last_progress_ < kGiveUp) return;
    in_flight_ = 0;
    ++stalls_;
  }

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] Instant last_progress() const { return last_progress_; }
  [[nodiscard]] unsigned stalls() const { return stalls_; }

 private:
  std::size_t limit_;
  std::size_t in_flight_ = 0;
  Instant last_progress_;
  unsigned stalls_ = 0;
};

}  // namespace ringway::wire
