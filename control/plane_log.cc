#include "control/plane_log.h"

#include <utility>

#include "base/log.h"

namespace ringway {

void PlaneLog::add(PlaneEvent::Level level, std::string_view text, Instant now) {
  if (now - second_start_ >= 1s) start_second(now);
  if (lines_ >= kLinesPerSecond || pending_.size() >= kPendingMax) {
    ++suppressed_;
    return;
  }
  ++lines_;
  pending_.push_back({.level = level, .text = log::escape(text)});
}

void PlaneLog::start_second(Instant now) {
  second_start_ = now;
  lines_ = 0;
  if (suppressed_ == 0) return;
  pending_.push_back({.level = PlaneEvent::Level::Warning,
                      .text = std::to_string(suppressed_) + " log lines were left out"});
  suppressed_ = 0;
}

std::optional<PlaneEvent> PlaneLog::poll() {
  if (pending_.empty()) return std::nullopt;
  PlaneEvent event = std::move(pending_.front());
  pending_.pop_front();
  return event;
}

}  // namespace ringway
