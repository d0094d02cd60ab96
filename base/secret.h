#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"

namespace ringway {

/// The one arena that holds every Secret of the process: page-aligned, locked into memory, kept out
/// of core dumps, with an inaccessible page on either side. One arena, because an allocation of its
/// own for each key costs four mappings and fails after some 16,000 (docs/decisions/0002). It has
/// two kinds of places: small slots, of which a Secret takes a run, and places for expanded keys,
/// so that the many of one kind never leave gaps too small for the few of the other.
///
/// Thread-safe: keys are made on the control thread and wiped on a worker. Never on the packet
/// path.
class SecretArena {
 public:
  static constexpr std::size_t kSlotSize = 64;
  /// An expanded key, e.g. ipsec-mb's 1,008 bytes for AES-GCM. Aligned to kSlotSize and more.
  static constexpr std::size_t kKeyScheduleSize = 1024;

  struct Room {
    std::size_t slots = kDefaultSlots;
    std::size_t key_schedules = kDefaultKeySchedules;
  };
  /// Enough for the tests, the client and the key files.
  static constexpr std::size_t kDefaultSlots = 16384;
  static constexpr std::size_t kDefaultKeySchedules = 4096;

  /// Maps and locks `room`. Call once, at start, before any Secret is made and before privileges
  /// are dropped; otherwise the first Secret reserves the defaults. What is never used never takes
  /// memory. The error says why the memory cannot be locked; the arena works all the same,
  /// unlocked.
  static Result<void> reserve(const Room& room);
  /// In use now: tests see with it that nothing leaks.
  [[nodiscard]] static std::size_t slots_in_use();
  [[nodiscard]] static std::size_t key_schedules_in_use();
};

namespace secret_detail {
std::uint8_t* allocate(std::size_t size);
void release(std::uint8_t* memory, std::size_t size);
}  // namespace secret_detail

/// Overwrites memory in a way that the compiler may not remove.
void wipe(MutableBytes memory);
/// Compares in time that depends on the size only. False when the sizes differ.
[[nodiscard]] bool equal_in_constant_time(Bytes a, Bytes b);

/// `Size` bytes in the SecretArena, zero at first, wiped when destroyed. Move-only (copies are
/// asked for by name); never printed. A moved-from Secret is empty and may only be assigned to.
template <std::size_t Size>
class Secret {
 public:
  Secret() : memory_(secret_detail::allocate(Size)) {}
  explicit Secret(Bytes value) : Secret() {
    for (std::size_t i = 0; i < Size && i < value.size(); ++i) memory_[i] = value[i];
  }
  Secret(Secret&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Secret() {
    if (memory_ != nullptr) secret_detail::release(memory_, Size);
  }

  [[nodiscard]] Secret copy() const { return Secret(bytes()); }
  [[nodiscard]] Bytes bytes() const { return {memory_, memory_ == nullptr ? 0 : Size}; }
  [[nodiscard]] MutableBytes mutable_bytes() { return {memory_, memory_ == nullptr ? 0 : Size}; }
  [[nodiscard]] static constexpr std::size_t size() { return Size; }

 private:
  std::uint8_t* memory_;
};

}  // namespace ringway
