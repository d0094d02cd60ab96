#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address.h"

namespace ringway {

/// To whom the kernel refuses trains, and of datagrams of which size on.
///
/// UDP_SEGMENT cuts a train into datagrams that IP must not fragment, so that the kernel refuses it
/// where a datagram is larger than the MTU of the route (EINVAL, EMSGSIZE), or where the route's
/// device or its IPsec policy cannot take it (EIO). That depends on the client: one behind a narrow
/// tunnel must not cost the others their trains.
///
/// Pure value; a fixed table in which a later client may take an earlier one's place. The loss is
/// that the earlier one's next train is refused once more.
class GsoRefusals {
 public:
  /// With fewer than there are clients on narrow paths, each of their trains would be tried and cut
  /// up again.
  static constexpr std::size_t kPlaces = 4096;
  static_assert((kPlaces & (kPlaces - 1)) == 0);

  void note(const Endpoint& to, std::size_t segment_size);
  /// A train of datagrams of this size was refused, or one of smaller datagrams.
  [[nodiscard]] bool refuses(const Endpoint& to, std::size_t segment_size) const {
    return count_ > 0 && is_noted(to, segment_size);
  }
  /// Routes change: from time to time everything may be tried again.
  void forget() { *this = {}; }

 private:
  struct Place {
    Endpoint to;
    std::size_t segment_size = 0;
  };
  [[nodiscard]] bool is_noted(const Endpoint& to, std::size_t segment_size) const;

  std::array<Place, kPlaces> places_{};
  std::size_t count_ = 0;
};

}  // namespace ringway
