#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>

#include "control/programs/program_request.h"

namespace ringway {

/// Which program runs next, while fewer than kRunningMax run: of those whose lane is free, one
/// whose source has the fewest running, and of these the oldest. Pure.
class ProgramQueue {
 public:
  /// Processes at a time. Programs wait for others far more than they compute.
  static constexpr std::size_t kRunningMax = 64;
  static constexpr std::size_t kWaitingMax = 4096;
  /// ... with news. While so many wait, nobody new comes in who would have to be seen off.
  static constexpr std::size_t kWaitingWithNewsMax = 5 * kWaitingMax;

  /// False when kWaitingMax wait, or with news kWaitingWithNewsMax.
  [[nodiscard]] bool add(ProgramRequest request);
  /// The next to be started; it counts as running until end() of its lane.
  [[nodiscard]] std::optional<ProgramRequest> next();
  /// A program of this request has ended.
  void end(const ProgramRequest& request);
  /// True when the request waited, and is gone.
  bool forget(std::uint64_t id);
  [[nodiscard]] bool is_idle() const { return waiting_.empty() && running_ == 0; }
  [[nodiscard]] std::size_t waiting_count() const { return waiting_.size(); }

 private:
  std::deque<ProgramRequest> waiting_;
  std::unordered_set<std::string> busy_lanes_;
  /// Of strangers' networks, which nobody can aim at a bucket with.
  std::map<std::string, std::size_t> running_of_;
  std::size_t running_ = 0;
};

}  // namespace ringway
