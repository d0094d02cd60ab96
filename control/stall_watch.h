#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace ringway {

/// Notices workers that stand still, by the turns that each counts anyway: an idle one makes a turn
/// every second (kTick). Nothing is asked of them, and none pays for it.
///
/// Pure; one thread. A worker that stands still is a bug of ours or of the kernel's, and its
/// clients are cut off: who gives up on it lets a supervisor start the process again. Time counts
/// only as far as it was watched: after a SIGSTOP of the whole process, or where the watching
/// thread itself was late, nobody is blamed.
class StallWatch {
 public:
  /// How often to look.
  static constexpr Duration kInterval = 500ms;
  static constexpr Duration kNoticeAfter = 1500ms;
  static constexpr Duration kGiveUpAfter = 10s;
  /// At least so long between two notices about one worker.
  static constexpr Duration kNoticeMin = 60s;

  enum class Kind : std::uint8_t {
    Stalls,  ///< for kNoticeAfter
    GoesOn,  ///< after such a notice
    IsLost,  ///< for kGiveUpAfter
  };
  struct Finding {
    WorkerId worker;
    Kind kind;
    /// How long it has stood still.
    Duration stalled;
  };

  explicit StallWatch(std::size_t worker_count) : watched_(worker_count) {}

  /// `turns` by WorkerId: how many each has made since it began.
  [[nodiscard]] std::vector<Finding> look(std::span<const std::uint64_t> turns, Instant now);
  /// When to look again.
  [[nodiscard]] Instant next() const { return last_look_ ? *last_look_ + kInterval : Instant{}; }

 private:
  struct Watched {
    std::uint64_t turns = 0;
    Duration stalled{0};
    std::optional<Instant> noticed_at;
    bool is_noticed = false;
  };

  std::optional<Finding> judge(std::size_t worker, std::uint64_t turns, Duration passed,
                               Instant now);

  std::vector<Watched> watched_;
  std::optional<Instant> last_look_;
};

}  // namespace ringway
