#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"

namespace ringway::sim {

/// Every inner packet of a world, from when it is sent to when it comes out: at most once, only if
/// it was sent, and unchanged. Packets are numbered UDP packets in IPv4.
class PacketLedger {
 public:
  struct Route {
    IpAddress source;
    IpAddress destination;
    /// What the sender has been given; a packet of another source must not come out.
    std::optional<IpAddress> owned;
    /// What is behind the sender.
    std::optional<Prefix> network_behind = std::nullopt;
  };

  /// A new packet, entered as sent.
  std::vector<std::uint8_t> make(const Route& route, Instant now);
  /// The packet came out of the tunnel. Says what is wrong with that; nothing when all is well.
  [[nodiscard]] std::optional<std::string> note_delivered(Bytes packet, Instant now);
  /// Forgets about a packet that its sender could not send at all.
  void withdraw(Bytes packet);

  [[nodiscard]] std::uint64_t sent() const { return next_number_; }
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  /// Packets sent before `until` that have not come out.
  [[nodiscard]] std::uint64_t missing(Instant until) const {
    return missing_between(Instant{}, until);
  }
  [[nodiscard]] std::uint64_t missing_between(Instant from, Instant until) const;
  /// The longest time that a route was silent: from when a packet that came out was sent until the
  /// next such packet of the same source and destination was.
  [[nodiscard]] Duration longest_silence() const;

 private:
  struct Entry {
    std::vector<std::uint8_t> bytes;
    Instant sent;
    bool is_spoofed = false;
    bool delivered = false;
  };
  std::map<std::uint64_t, Entry> entries_;
  std::uint64_t next_number_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace ringway::sim
