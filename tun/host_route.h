#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"

namespace ringway {

/// A route of the host's main table that does not lead into our tunnel. Pure value.
struct HostRoute {
  Prefix destination;
  /// Packets are refused at once, as if there were no route ("unreachable").
  bool is_unreachable = false;
  /// Unset: the destination is on the link itself. May be IPv6 for an IPv4 destination (RFC 5549).
  std::optional<IpAddress> gateway;
  /// The gateway counts as reachable, whatever the device's addresses say.
  bool is_onlink = false;
  /// The kernel's number of the network device; 0 for an unreachable one.
  unsigned device = 0;
  /// Which own address new connections take; unset: the kernel chooses.
  std::optional<IpAddress> source;
  /// Unset: the kernel's (0 for IPv4, 1024 for IPv6).
  std::optional<std::uint32_t> metric;
  /// MTU of this route, where it is less than the device's; 0: the device's.
  std::uint32_t mtu = 0;

  /// One line without blanks at its ends, which parse() reads back:
  /// "192.0.2.1/32 via 198.51.100.1 device 3 metric 0".
  [[nodiscard]] std::string to_string() const;
  static std::optional<HostRoute> parse(std::string_view text);

  friend bool operator==(const HostRoute&, const HostRoute&) = default;
};

/// The route that the kernel would take to `destination` if `device` were not there: the longest
/// prefix, and of those the smallest metric. Null when none leads there. Pure.
const HostRoute* find_route(std::span<const HostRoute> routes, const IpAddress& destination,
                            unsigned device);

}  // namespace ringway
