#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace ringway {

/// The 32-bit counter of a data packet: half of its nonce, and what the replay window remembers.
/// Each key and direction counts from 1; 0 is never valid. Pure value.
struct PacketId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const PacketId&, const PacketId&) = default;
};

/// Hands out the packet ids of one key in one direction, each once. Pure; owned by one KeyState.
///
/// It ends instead of wrapping: a packet id used twice under one key gives an AEAD's key stream and
/// authentication key away (security goal A20).
class PacketIdCounter {
 public:
  /// 2^32-1 itself is never sent: OpenVPN stops there, and a counter that halts before its type's
  /// maximum has no overflow to get wrong.
  static constexpr std::uint32_t kLast = 0xffff'fffe;

  /// `last` is the highest id to hand out, at most kLast.
  explicit PacketIdCounter(std::uint32_t last = kLast) : last_(last < kLast ? last : kLast) {}

  /// Nothing when the ids are used up.
  std::optional<PacketId> next() {
    if (used_ >= last_) return std::nullopt;
    return PacketId{++used_};
  }
  [[nodiscard]] bool exhausted() const { return used_ >= last_; }
  /// The last id handed out; 0 at first.
  [[nodiscard]] PacketId last_used() const { return {used_}; }

  friend constexpr bool operator==(const PacketIdCounter&, const PacketIdCounter&) = default;

 private:
  std::uint32_t used_ = 0;
  std::uint32_t last_;
};

}  // namespace ringway
