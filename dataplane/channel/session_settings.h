#pragma once

#include <cstdint>

#include "base/time.h"

namespace ringway {

/// What the data plane has to know of a peer besides its keys. Pure value.
struct SessionSettings {
  /// Send a ping when nothing was sent for so long; 0 = never.
  Duration ping_interval{0};
  /// Report the peer idle when nothing authentic came for so long; 0 = never.
  Duration ping_restart{0};
  /// Largest MSS that TCP SYNs in the tunnel may carry, by inner family; 0 = leave them alone.
  std::uint16_t mss_limit_v4 = 0;
  std::uint16_t mss_limit_v6 = 0;
  /// The client sends and understands DATA_V2 (IV_PROTO bit 1).
  bool data_v2 = true;
};

}  // namespace ringway
