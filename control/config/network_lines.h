#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "control/config/dns_lines.h"

namespace ringway {

/// `route` or `route-ipv6`, as written. Pure value.
struct RouteLine {
  /// What OpenVPN has a word for.
  enum class Place : std::uint8_t {
    Address,     ///< as written
    VpnGateway,  ///< `vpn_gateway`: the other end of the tunnel
    NetGateway,  ///< `net_gateway`: the host's own gateway, beside the tunnel
    RemoteHost,  ///< `remote_host`: the server's real address
    Name,        ///< a host's name, IPv4; destinations only
  };
  Place destination = Place::Address;
  /// Under Place::Address.
  Prefix network;
  /// Under Place::Name.
  std::string host;
  Place gateway = Place::VpnGateway;
  /// Under Place::Address.
  IpAddress gateway_address;
  std::optional<std::uint32_t> metric;
  /// The line, for messages.
  std::string text;

  friend bool operator==(const RouteLine&, const RouteLine&) = default;
};

/// `redirect-gateway` or `redirect-private` with its flags. Pure value.
struct RedirectLine {
  bool is_given = false;
  /// All traffic; false: `redirect-private`, which only keeps the server reachable.
  bool all_traffic = false;
  bool ipv4 = true;   ///< no `!ipv4`
  bool ipv6 = false;  ///< `ipv6`
  bool local = false;
  bool bypass_dns = false;
  bool block_local = false;

  friend bool operator==(const RedirectLine&, const RedirectLine&) = default;
};

/// What a profile and a server say of the client's network: the same options in the same language.
/// Pure value.
struct NetworkLines {
  static constexpr std::size_t kRoutesMax = 1024;

  /// `ifconfig ADDRESS NETMASK-OR-PEER`.
  struct AddressLine {
    IpAddress address;
    IpAddress netmask_or_peer;
  };
  /// `ifconfig-ipv6 ADDRESS/BITS [PEER]`.
  struct Ipv6AddressLine {
    IpAddress address;
    std::uint8_t length = 64;
    std::optional<IpAddress> peer;
  };
  std::optional<AddressLine> ifconfig;
  std::optional<Ipv6AddressLine> ifconfig_ipv6;
  /// Empty: net30, which is OpenVPN's default.
  std::string topology;
  std::vector<RouteLine> routes;
  std::optional<IpAddress> route_gateway;
  std::optional<IpAddress> route_ipv6_gateway;
  std::optional<std::uint32_t> route_metric;
  RedirectLine redirect;
  bool block_ipv6 = false;
  DnsLines dns;

  /// Takes one option, its name first. False: it is none of these, or says nothing to this system.
  /// The error is the rest of a sentence that begins with the option.
  std::expected<bool, std::string> add(std::span<const std::string> words);
  /// What `pushed` says on top: single values replace ours, lists are joined.
  void merge(const NetworkLines& pushed);
};

}  // namespace ringway
