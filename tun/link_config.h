#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "tun/rtnetlink.h"

namespace ringway {

/// An address of the host itself, which unlike a Prefix has host bits, and the length of the
/// network that it is in. Value.
struct InterfaceAddress {
  IpAddress address;
  std::uint8_t prefix_length = 0;

  [[nodiscard]] std::string to_string() const {
    return address.to_string() + "/" + std::to_string(prefix_length);
  }
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

/// A route of the host into the device. Value.
struct LinkRoute {
  Prefix destination;
  /// Unset: the kernel's (0 for IPv4, 1024 for IPv6).
  std::optional<std::uint32_t> metric;
  /// Traffic would leave unprotected without it: when the host has it already, that is an error.
  bool must = false;

  friend bool operator==(const LinkRoute&, const LinkRoute&) = default;
};

/// Value.
struct LinkSettings {
  std::optional<InterfaceAddress> v4;
  std::optional<InterfaceAddress> v6;
  std::uint32_t mtu = 1500;
  /// Packets; 0: the kernel's (500 for a TUN).
  std::uint32_t tx_queue_length = 0;
  std::vector<LinkRoute> routes;

  friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};

/// Configures one network device over rtnetlink.
///
/// SHELL: at start, on one thread; needs CAP_NET_ADMIN. Each call waits for the kernel's answer,
/// and an error says which setting the kernel refused and what to do about it. Nothing is undone
/// when this goes away: a TUN device takes its addresses and routes along when it disappears.
class LinkConfig {
 public:
  /// What IPv6 asks of every link (RFC 8200 5); below it, the kernel takes IPv6 off the device.
  static constexpr std::uint32_t kIpv6MtuMin = 1280;
  static constexpr std::uint32_t kIpv4MtuMin = 68;
  static constexpr std::uint32_t kMtuMax = 65535;

  static Result<LinkConfig> open(const std::string& device);

  /// All of it in the order that works: MTU, queue length, up, addresses, routes. What it gives are
  /// the routes that were left out because the host has them already (add_route()).
  Result<std::vector<LinkRoute>> apply(const LinkSettings& settings);

  /// The kernel's number of the device.
  [[nodiscard]] unsigned index() const { return index_; }

  Result<void> set_mtu(std::uint32_t mtu);
  Result<void> set_tx_queue_length(std::uint32_t packets);
  Result<void> bring_up();
  /// IPv6 addresses can be bound to at once, without duplicate address detection: a tunnel has no
  /// neighbours that could own them. Packets to them are delivered some milliseconds later, when a
  /// worker of the kernel has added the local route.
  Result<void> add_address(const InterfaceAddress& address);
  /// False, and nothing is changed, when the host has a route to the same network with the same
  /// metric already, through whatever device.
  Result<bool> add_route(const LinkRoute& route);
  /// Takes a route of add_route() away. One that is gone already is no error.
  Result<void> remove_route(const LinkRoute& route);
  /// Where `net.ipv6.conf.default.disable_ipv6` is set, a new device has no IPv6: switches it on
  /// for this device alone.
  Result<void> enable_ipv6();

 private:
  LinkConfig(std::string device, unsigned index, RtnetlinkSocket socket)
      : device_(std::move(device)), index_(index), socket_(std::move(socket)) {}

  std::string device_;
  unsigned index_;
  RtnetlinkSocket socket_;
};

}  // namespace ringway
