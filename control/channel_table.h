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

/// (endpoint, client's session id) -> ClientId. The same address and port over UDP and over TCP are
/// two endpoints, and so are two connections one after the other, and two of our own addresses or
/// listeners: behind a NAT that maps by destination (RFC 4787, section 4.1) they are two clients.
/// Hashed by remote endpoint under a random key (security goal A23); the few channels at one
/// endpoint (one established, one half-open, some that are leaving) are searched in a row, so
/// session ids, which a peer chooses, are never hashed.
/// Pure; used by one thread; bounded by its owner.
class ChannelTable {
 public:
  struct Entry {
    SessionId session;
    ClientId client;
  };

  explicit ChannelTable(RandomSource& random);

  [[nodiscard]] std::optional<ClientId> find(const LinkEndpoint& from, SessionId session) const;
  /// All channels at `from`. Valid until the next change of the table.
  [[nodiscard]] std::span<const Entry> at(const LinkEndpoint& from) const;
  /// The pair must not be in the table.
  void add(const LinkEndpoint& from, Entry entry);
  /// Nothing happens when the pair is not in the table.
  void remove(const LinkEndpoint& from, ClientId client);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Hash {
    AddressHash keyed;
    /// Few have the same remote endpoint: they may share a bucket.
    std::size_t operator()(const LinkEndpoint& endpoint) const { return keyed(endpoint.remote); }
  };
  static Hash draw_hash(RandomSource& random);

  std::unordered_map<LinkEndpoint, std::vector<Entry>, Hash> by_endpoint_;
  std::size_t size_ = 0;
};

}  // namespace ringway
