#pragma once

#include <poll.h>
#include <sys/types.h>

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "base/unique_fd.h"
#include "control/programs/program_files.h"
#include "control/programs/program_queue.h"
#include "control/programs/program_wire.h"

namespace ringway {

/// Starts programs, bounds what they take, and says how they ended.
///
/// A program sees descriptors 0 to 2 and its own environment, nothing else of ours; runs in a
/// process group of its own, which is killed when it takes longer than kTimeMax; and gets the
/// rights of `user` and `group`. One that puts off its verdict is looked at every kLookInterval
/// until it has come, the server does not want to know any more, or kDeferralMax is over.
///
/// SHELL: starts processes; the helper's only thread.
class ProgramRunner {
 public:
  static constexpr Duration kTimeMax = 60s;
  /// Of what a program writes to its output, what is kept for the log.
  static constexpr std::size_t kOutputMax = 2048;
  static constexpr Duration kLookInterval = 200ms;
  static constexpr Duration kDeferralMax = 3600s;
  static constexpr std::size_t kDeferredMax = 4096;
  /// Outputs that what a program has left behind still holds open; they are read and dropped.
  static constexpr std::size_t kDrainsMax = 256;

  ProgramRunner(ProgramIdentity identity, std::string directory);
  /// Kills what runs.
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  void add(ProgramRequest request);
  /// Nobody wants to know any more: what waits is not started, what has put off its verdict is
  /// left alone; what runs is let run.
  void forget(std::uint64_t id);
  /// What to wait for, behind what is already in `waiting`.
  void fill(std::vector<pollfd>& waiting) const;
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  /// Looks after all programs; call when something that fill() named is ready, and at the deadline.
  void turn(Instant now);
  [[nodiscard]] std::optional<HelperReport> poll();
  /// Nothing runs or waits; verdicts may be outstanding.
  [[nodiscard]] bool is_idle() const { return queue_.is_idle(); }

 private:
  struct Running {
    ProgramRequest request;
    ProgramFiles files;
    pid_t pid = -1;
    UniqueFd ended;  ///< a pidfd
    UniqueFd output;
    std::string text;
    Instant give_up;
    bool was_killed = false;
  };
  struct Deferred {
    std::uint64_t id = 0;
    Deferral deferral = Deferral::None;
    ProgramFiles files;
    Instant give_up;
  };

  void start_next(Instant now);
  void start(ProgramRequest request, Instant now);
  /// True when it has ended.
  bool look_at(Running& program, Instant now);
  void finish(Running& program, int status, Instant now);
  void look_at_deferred(Instant now);
  void report(ProgramEnd end) { reports_.emplace_back(std::move(end)); }

  ProgramIdentity identity_;
  std::string directory_;
  ProgramQueue queue_;
  std::vector<Running> running_;
  std::vector<Deferred> deferred_;
  std::deque<UniqueFd> drains_;
  std::unordered_set<std::uint64_t> forgotten_;
  std::deque<HelperReport> reports_;
  Instant next_look_;
};

}  // namespace ringway
