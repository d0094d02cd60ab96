#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway::sim {

/// Reads the data packets on the wire and knows when a sender uses one packet id twice under one
/// key (security goal A20). A key is known by its sender, the direction and its KeyId; when a KeyId
/// comes round again, its new key starts at 1.
class NonceWatch {
 public:
  /// Says what is wrong with a datagram that was sent; nothing when all is well.
  [[nodiscard]] std::optional<std::string> note_sent(const Endpoint& from, const Endpoint& to,
                                                     Bytes datagram);

 private:
  struct Key {
    Endpoint from;
    Endpoint to;
    std::uint8_t key_id = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  std::map<Key, std::uint32_t> highest_;
  /// Ciphertext tags of the packets with id 1: the same one twice is the same key starting over.
  std::set<std::string> first_tags_;
};

}  // namespace ringway::sim
