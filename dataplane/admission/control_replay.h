#pragma once

#include <cstdint>

#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// The replay check of wrapped control packets within one session: a lower time is refused, a
/// higher one starts a new window, within one time a 64-entry window slides. Pure; owned by one
/// ControlChannel. Call only after the wrapping was verified.
class ControlReplay {
 public:
  static constexpr std::uint32_t kSpan = 64;
  [[nodiscard]] bool accept(ReplayStamp stamp);

 private:
  ReplayStamp highest_;
  std::uint64_t seen_ = 0;
};

/// The sending half: 1, 2, 3... under one time. After 2^32-1 it restarts under a newer time.
class ReplayCounter {
 public:
  /// `next_id` is 1, or 2 on a server whose stateless reply used 1 (docs/WIRE.md 3.4).
  ReplayCounter(std::uint32_t next_id, std::uint32_t time) : next_{next_id, time} {}
  ReplayStamp next();

 private:
  ReplayStamp next_;
};

}  // namespace ringway
