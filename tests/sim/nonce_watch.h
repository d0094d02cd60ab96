#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway::sim {

/// Reads the data packets on the wire and knows when a sender uses one packet id twice under one
/// key (security goal A20). A key is known by its sender, the direction and its KeyId, wherever the
/// client is meanwhile; when a KeyId comes round again, its new key starts at 1. In the epoch
/// format an id is the epoch and its counter, which do not repeat under one KeyId either.
class NonceWatch {
 public:
  /// Datagrams have the epoch format, or the short one.
  NonceWatch(const Endpoint& server, bool in_epochs) : server_(server), in_epochs_(in_epochs) {}

  /// Says what is wrong with a datagram that was sent; nothing when all is well.
  [[nodiscard]] std::optional<std::string> note_sent(const Endpoint& from, const Endpoint& to,
                                                     Bytes datagram);

  [[nodiscard]] std::uint16_t highest_epoch() const { return highest_epoch_; }

 private:
  struct Key {
    bool from_server = false;
    std::uint32_t peer_id = 0;
    /// Of who names no peer, and so never moves.
    Endpoint client;
    std::uint8_t key_id = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  Endpoint server_;
  bool in_epochs_;
  std::uint16_t highest_epoch_ = 0;
  /// Not in order: what is sealed first is not always sent first.
  std::map<Key, std::unordered_set<std::uint64_t>> used_;
  /// Ciphertext tags of the packets with id 1: the same one twice is the same key starting over.
  std::set<std::string> first_tags_;
};

}  // namespace ringway::sim
