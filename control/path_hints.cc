#include "control/path_hints.h"

#include <algorithm>

namespace ringway {

std::optional<PathHint> PathHints::admit(const IcmpHint& hint, Instant now) {
  const auto listener = std::ranges::find_if(listeners_, [&](const Endpoint& bound) {
    return bound.port == hint.from.port &&
           (bound.address.is_unspecified() || bound.address == hint.from.address);
  });
  if (listener == listeners_.end()) return std::nullopt;
  if (now - second_start_ >= 1s) {
    second_start_ = now;
    count_ = 0;
  }
  if (++count_ > kPerSecond) return std::nullopt;
  return PathHint{.to = {.remote = hint.to,
                         .local = hint.from.address,
                         .listener = static_cast<std::uint8_t>(listener - listeners_.begin())},
                  .mtu = hint.mtu};
}

}  // namespace ringway
