#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "control/client.h"

namespace ringway {

/// The earliest deadline over all clients. Each client has one or none. Pure; used by one thread;
/// logarithmic in the number of clients.
class DeadlineQueue {
 public:
  /// Replaces the client's deadline; nothing takes it away.
  void set(ClientId client, std::optional<Instant> deadline);
  [[nodiscard]] std::optional<Instant> next() const;
  /// A client whose deadline has come, the earliest first; its deadline is taken away.
  [[nodiscard]] std::optional<ClientId> take_due(Instant now);

 private:
  struct IdHash {
    std::size_t operator()(ClientId id) const { return id.value; }
  };
  std::set<std::pair<Instant, ClientId>> queue_;
  std::unordered_map<ClientId, Instant, IdHash> deadlines_;
};

}  // namespace ringway
