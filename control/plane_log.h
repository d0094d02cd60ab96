#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "control/control_plane.h"

namespace ringway {

/// The lines that a ControlPlane wants written, at most kLinesPerSecond of them: whoever can make
/// the server log could otherwise fill its disk (security goals R22, B19). What was left out is
/// counted, and said once a second. Every line is escaped, so callers put peer text in as it is.
/// Pure; used by one thread; bounded by kPendingMax.
class PlaneLog {
 public:
  static constexpr std::uint32_t kLinesPerSecond = 100;
  static constexpr std::size_t kPendingMax = 1024;

  void add(PlaneEvent::Level level, std::string_view text, Instant now);
  [[nodiscard]] std::optional<PlaneEvent> poll();

 private:
  void start_second(Instant now);

  std::deque<PlaneEvent> pending_;
  Instant second_start_;
  std::uint32_t lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace ringway
