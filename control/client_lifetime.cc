#include "control/client_lifetime.h"

#include <algorithm>

namespace ringway {

std::optional<Instant> ClientLifetime::deadline() const {
  std::optional<Instant> next;
  if (limits_.session > Duration{0}) next = begun_ + limits_.session;
  if (limits_.inactive > Duration{0}) {
    const Instant idle = active_at_ + limits_.inactive;
    next = next ? std::min(*next, idle) : idle;
  }
  return next;
}

std::string_view ClientLifetime::verdict(Instant now) const {
  if (limits_.session > Duration{0} && now >= begun_ + limits_.session) {
    return "the session has lasted as long as it may (session-timeout)";
  }
  if (limits_.inactive > Duration{0} && now >= active_at_ + limits_.inactive) {
    return "nothing was sent through the tunnel for too long (inactive)";
  }
  return {};
}

}  // namespace ringway
