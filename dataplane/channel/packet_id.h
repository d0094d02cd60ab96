#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace ringway {

/// What numbers a data packet under its key, and makes its nonce. Pure value.
///
///     short format   a counter of 32 bits
///     epoch format   [epoch 16] [counter 48]
///
/// Each key and direction counts from 1; 0 is never valid, neither as a counter nor as an epoch.
struct PacketId {
  static constexpr unsigned kCounterBits = 48;
  static constexpr std::uint64_t kCounterMask = (std::uint64_t{1} << kCounterBits) - 1;

  std::uint64_t value = 0;

  static constexpr PacketId of(std::uint16_t epoch, std::uint64_t counter) {
    return {std::uint64_t{epoch} << kCounterBits | counter};
  }
  // Of the epoch format.
  [[nodiscard]] constexpr std::uint16_t epoch() const {
    return static_cast<std::uint16_t>(value >> kCounterBits);
  }
  [[nodiscard]] constexpr std::uint64_t counter() const { return value & kCounterMask; }

  friend constexpr auto operator<=>(const PacketId&, const PacketId&) = default;
};

/// Hands out the packet ids of one key of the short format in one direction, each once. Pure; owned
/// by one KeyState.
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
