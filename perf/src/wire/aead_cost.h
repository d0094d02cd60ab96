#pragma once

#include <cstddef>

#include "base/time.h"
#include "dataplane/channel/data_cipher.h"

namespace ringway::wire {

/// What the cipher alone costs a packet. Value, in nanoseconds.
struct AeadCost {
  double seal_ns = 0;
  double open_ns = 0;
};

/// Seals and opens packets of `packet_size` bytes with the server's own engine for `duration` each,
/// in turn over as many buffers as are under way in a run, so that they are as warm as there.
/// SHELL: reads the clock.
[[nodiscard]] AeadCost measure_aead(DataCipher cipher, std::size_t packet_size, Duration duration);

}  // namespace ringway::wire
