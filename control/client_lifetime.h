#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace ringway {

/// When a client ends by itself though nothing is wrong: `inactive` and `session-timeout`.
///
/// Pure value; 0 means never.
class ClientLifetime {
 public:
  struct Limits {
    /// `inactive SECONDS BYTES`: how long the packets of users may take to come to so many bytes,
    /// both ways together; with 0 bytes any packet will do.
    Duration inactive{0};
    std::uint64_t inactive_bytes = 0;
    /// `session-timeout`
    Duration session{0};
  };

  ClientLifetime() = default;
  ClientLifetime(const Limits& limits, Instant now)
      : limits_(limits), begun_(now), active_at_(now) {}

  /// A packet from the tunnel or into it; what OpenVPN says of its own accord is none.
  void note_packet(std::size_t size, Instant now) {
    bytes_ += size;
    if (bytes_ < limits_.inactive_bytes) return;
    bytes_ = 0;
    active_at_ = now;
  }

  [[nodiscard]] std::optional<Instant> deadline() const;
  /// Why it is over; empty while it is not.
  [[nodiscard]] std::string_view verdict(Instant now) const;

 private:
  Limits limits_;
  Instant begun_;
  Instant active_at_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ringway
