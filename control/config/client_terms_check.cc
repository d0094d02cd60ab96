#include <fmt/format.h>

#include "control/config/client_file.h"
#include "control/config/tunnel_addresses.h"

/// What one client gets, beside the server's own networks.
namespace ringway {
namespace {

/// Loopback, multicast and the like: nothing is led there (security goal C05).
bool is_for_hosts(const Prefix& network) {
  const IpAddress& address = network.address;
  if (network.length == 0) return true;
  if (address.is_v4()) {
    const std::uint32_t top = address.v4_value() >> 24;
    return top != 0 && top != 127 && top < 224;
  }
  const bool is_link_local = address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
  return address.bytes()[0] != 0xff && !is_link_local && address != IpAddress() &&
         address != IpAddress().plus(1);
}

bool is_within(const AddressRange& range, const IpAddress& address) {
  return address.is_v4() == range.first.is_v4() && range.first <= address && address <= range.last;
}

std::optional<Error> check_v4(const FixedAddressV4& fixed, const TunnelConfig& tunnel) {
  const std::string text = fixed.address.to_string();
  if (!tunnel.network_v4) {
    return Error{
        fmt::format("`ifconfig-push {}`: the tunnel has no IPv4", text), fixed.where,
        "write `server NETWORK NETMASK` in the server's configuration, or delete the line"};
  }
  const Prefix& network = *tunnel.network_v4;
  const std::string example = fmt::format("write an address of {}", network.to_string());
  const bool is_taken =
      fixed.address == own_address_v4(tunnel) || fixed.address == network.address ||
      fixed.address == last_address(network) || !is_for_hosts(Prefix::host(fixed.address));
  if (!is_taken) return std::nullopt;
  return Error{fmt::format("`ifconfig-push {}` is the server's own address, or no host's", text),
               fixed.where, example};
}

std::optional<Error> check_v6(const FixedAddressV6& fixed, const TunnelConfig& tunnel) {
  const std::string text = fixed.address.to_string();
  if (!tunnel.network_v6) {
    return Error{
        fmt::format("`ifconfig-ipv6-push {}`: the tunnel has no IPv6", text), fixed.where,
        "write `server-ipv6 NETWORK/BITS` in the server's configuration, or delete the line"};
  }
  const bool is_taken = fixed.address == own_address_v6(tunnel) ||
                        fixed.address == tunnel.network_v6->address ||
                        !is_for_hosts(Prefix::host(fixed.address));
  if (!is_taken) return std::nullopt;
  return Error{
      fmt::format("`ifconfig-ipv6-push {}` is the server's own address, or no host's", text),
      fixed.where, fmt::format("write an address of {}", tunnel.network_v6->to_string())};
}

/// Addresses of the pool go to whoever comes; what is behind a client must not be one of them.
std::optional<Error> check_route(const ClientRoute& route, const TunnelConfig& tunnel) {
  const Prefix& network = route.network;
  const bool is_v4 = network.address.is_v4();
  const std::string_view option = is_v4 ? "iroute" : "iroute-ipv6";
  const auto own = is_v4 ? own_address_v4(tunnel) : own_address_v6(tunnel);
  if (!is_for_hosts(network) || (own && network == Prefix::host(*own))) {
    return Error{
        fmt::format("`{} {}` is no network of hosts behind a client", option, network.to_string()),
        route.where, "write the network that the client leads to"};
  }
  const auto& tunnel_network = is_v4 ? tunnel.network_v4 : tunnel.network_v6;
  const auto range = is_v4 ? client_range_v4(tunnel) : client_range_v6(tunnel);
  const bool is_inside = tunnel_network && tunnel_network->contains(network);
  const bool meets_pool =
      range && (is_within(*range, network.address) || network.contains(range->first));
  if (!is_inside || !meets_pool) return std::nullopt;
  return Error{fmt::format("`{} {}` holds addresses of the pool, which other clients get", option,
                           network.to_string()),
               route.where,
               is_v4 ? "write `ifconfig-push ADDRESS` for an address of its own, or leave the "
                       "network out of `ifconfig-pool`"
                     : "write `ifconfig-ipv6-push ADDRESS/BITS` for an address of its own, or "
                       "leave the network out of `ifconfig-ipv6-pool`"};
}

}  // namespace

std::vector<Error> check_client_terms(const ClientTerms& terms, const TunnelConfig& tunnel) {
  std::vector<Error> faults;
  const auto note = [&](std::optional<Error> fault) {
    if (fault) faults.push_back(std::move(*fault));
  };
  if (terms.v4) note(check_v4(*terms.v4, tunnel));
  if (terms.v6) note(check_v6(*terms.v6, tunnel));
  for (const ClientRoute& route : terms.routes) note(check_route(route, tunnel));
  return faults;
}

std::vector<std::string> odd_client_terms(const ClientTerms& terms, const TunnelConfig& tunnel) {
  std::vector<std::string> odd;
  const auto note = [&](const std::string& where, std::string_view option, const IpAddress& address,
                        const Prefix& network) {
    odd.push_back(fmt::format(
        "{}: `{} {}` is outside of the tunnel's network {}; packets for it come here only with a "
        "`route{} {}`",
        where, option, address.to_string(), network.to_string(), address.is_v4() ? "" : "-ipv6",
        address.to_string()));
  };
  if (terms.v4 && tunnel.network_v4 && !tunnel.network_v4->contains(terms.v4->address)) {
    note(terms.v4->where, "ifconfig-push", terms.v4->address, *tunnel.network_v4);
  }
  if (terms.v6 && tunnel.network_v6 && !tunnel.network_v6->contains(terms.v6->address)) {
    note(terms.v6->where, "ifconfig-ipv6-push", terms.v6->address, *tunnel.network_v6);
  }
  return odd;
}

}  // namespace ringway
