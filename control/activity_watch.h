#pragma once

#include <cstdint>

#include "base/time.h"
#include "control/config/config.h"

namespace ringway {

/// Whether enough goes through one client's tunnel, by `inactive`: the bytes of packets, in both
/// directions; neither pings nor what is about keys. Pure value; told once a second.
class ActivityWatch {
 public:
  ActivityWatch(const ActivityLimit& limit, Instant now) : limit_(limit), active_at_(now) {}

  /// What has gone through since the session began. Each time that the limit's bytes have come
  /// together, its time begins anew, as with OpenVPN.
  void note(std::uint64_t payload_bytes, Instant now);
  [[nodiscard]] bool is_idle(Instant now) const {
    return limit_.time > Duration{0} && now - active_at_ >= limit_.time;
  }

 private:
  ActivityLimit limit_;
  Instant active_at_;
  std::uint64_t counted_ = 0;
};

}  // namespace ringway
