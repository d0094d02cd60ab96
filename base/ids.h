#pragma once

#include <compare>
#include <cstdint>

/// The numbers that the protocol and the threads are known by. Pure values.
namespace ringway {

/// A client's 24-bit number in DATA_V2 packets, chosen by the control thread. It also names the
/// worker that owns the client's session: owner = value % worker count.
struct PeerId {
  static constexpr std::uint32_t kUnset = 0xff'ffff;
  std::uint32_t value = kUnset;
  [[nodiscard]] constexpr bool is_set() const { return value != kUnset; }
  friend constexpr auto operator<=>(const PeerId&, const PeerId&) = default;
};

/// The 3-bit number of one key negotiation. 0 is only ever the first of a session; after 7 comes 1.
struct KeyId {
  std::uint8_t value = 0;
  [[nodiscard]] constexpr KeyId next() const {
    return {static_cast<std::uint8_t>(value == 7 ? 1 : value + 1)};
  }
  friend constexpr auto operator<=>(const KeyId&, const KeyId&) = default;
};

struct WorkerId {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(const WorkerId&, const WorkerId&) = default;
};

/// A TCP connection that a worker accepted; unset for UDP. Its number is its place in the table of
/// the worker that owns it (owner = number % worker count, as of a PeerId), and the generation
/// tells it from those that were there before: what is meant for one never reaches the next.
struct ConnectionId {
  std::uint32_t number = 0;
  std::uint32_t generation = 0;
  [[nodiscard]] constexpr bool is_set() const { return generation != 0; }
  friend constexpr auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
};

constexpr WorkerId owner_of(PeerId peer, std::uint16_t worker_count) {
  return {static_cast<std::uint16_t>(peer.value % worker_count)};
}

constexpr WorkerId owner_of(ConnectionId connection, std::uint16_t worker_count) {
  return {static_cast<std::uint16_t>(connection.number % worker_count)};
}

}  // namespace ringway
