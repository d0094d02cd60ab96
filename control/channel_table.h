#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "control/client.h"
#include "dataplane/admission/session_id.h"

namespace ringway {

/// (remote endpoint, client's session id) -> ClientId. Hashed by endpoint under a random key
/// (security goal A23); the few channels at one endpoint (one established, one half-open, some that
/// are leaving) are searched in a row, so session ids, which a peer chooses, are never hashed.
/// Pure; used by one thread; bounded by its owner.
class ChannelTable {
 public:
  struct Entry {
    SessionId session;
    ClientId client;
  };

  explicit ChannelTable(RandomSource& random);

  [[nodiscard]] std::optional<ClientId> find(const Endpoint& remote, SessionId session) const;
  /// All channels at `remote`. Valid until the next change of the table.
  [[nodiscard]] std::span<const Entry> at(const Endpoint& remote) const;
  /// The pair must not be in the table.
  void add(const Endpoint& remote, Entry entry);
  /// Nothing happens when the pair is not in the table.
  void remove(const Endpoint& remote, ClientId client);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Hash {
    AddressHash keyed;
    std::size_t operator()(const Endpoint& endpoint) const { return keyed(endpoint); }
  };
  static Hash draw_hash(RandomSource& random);

  std::unordered_map<Endpoint, std::vector<Entry>, Hash> by_endpoint_;
  std::size_t size_ = 0;
};

}  // namespace ringway
