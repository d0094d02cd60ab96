#pragma once

#include <cstddef>
#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"

namespace ringway {

/// A UDP datagram over IPv6 in the fragments of RFC 8200 4.5, each small enough for every path.
///
/// Only for what has to be sent over a path that cannot carry it: an inner IPv6 packet of up to
/// 1,280 bytes, whose sender cannot be told to make it smaller (RFC 2473 7.1). The kernel does not
/// do it where its device would take the datagram whole, IPV6_MTU or not.
///
/// Pure; allocates nothing. Borrows the datagram.
class OuterFragments {
 public:
  /// Every fragment fits into this.
  static constexpr std::size_t kSizeMax = 1280;

  struct Header {
    /// Both IPv6.
    Endpoint from;
    Endpoint to;
    /// Not used for another datagram between the two for a while.
    std::uint32_t identification = 0;
  };
  /// `datagram` is the UDP payload; its size is at most 65,487.
  OuterFragments(const Header& header, Bytes datagram);

  [[nodiscard]] bool is_done() const { return offset_ == size_; }
  /// Writes the next packet, IPv6 header included, to the start of `out` (kSizeMax bytes).
  [[nodiscard]] MutableBytes write_next(MutableBytes out);

 private:
  Header header_;
  Bytes datagram_;
  std::uint16_t checksum_ = 0;
  /// Of the UDP header and payload, and how much of it is written.
  std::size_t size_;
  std::size_t offset_ = 0;
};

}  // namespace ringway
