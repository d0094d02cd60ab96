#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "dataplane/icmp_hint.h"
#include "dataplane/messages.h"

namespace ringway {

/// Which ICMP messages about paths are worth telling the workers: those about datagrams that a
/// listener of ours could have sent, and no more than kPerSecond of them, whoever makes how many
/// up.
///
/// Pure; used by one thread.
class PathHints {
 public:
  static constexpr unsigned kPerSecond = 100;

  /// What each listener is bound to, in the order of LinkEndpoint::listener.
  explicit PathHints(std::vector<Endpoint> listeners) : listeners_(std::move(listeners)) {}

  [[nodiscard]] std::optional<PathHint> admit(const IcmpHint& hint, Instant now);

 private:
  std::vector<Endpoint> listeners_;
  Instant second_start_;
  unsigned count_ = 0;
};

}  // namespace ringway
