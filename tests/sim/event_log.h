#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "base/time.h"

namespace ringway::sim {

/// The last things that happened in a simulated world, for the line that a failing test prints.
class EventLog {
 public:
  static constexpr std::size_t kKept = 40;

  explicit EventLog(std::uint64_t seed) : seed_(seed) {}

  template <typename... Args>
  void add(Instant now, fmt::format_string<Args...> format, Args&&... args) {
    const auto milliseconds = now.since_start / 1ms;
    lines_.push_back(fmt::format("{:9}.{:03} s  {}", milliseconds / 1000, milliseconds % 1000,
                                 fmt::format(format, std::forward<Args>(args)...)));
    if (lines_.size() > kKept) lines_.pop_front();
  }

  /// The seed that replays this world, and its last events.
  [[nodiscard]] std::string to_string() const {
    std::string text = fmt::format("\nreplay with RINGWAY_SEED={}\n", seed_);
    for (const std::string& line : lines_) text += line + '\n';
    return text;
  }

 private:
  std::uint64_t seed_;
  std::deque<std::string> lines_;
};

}  // namespace ringway::sim
