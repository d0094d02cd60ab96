#include "control/client_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace ringway {
namespace {

using Place = RouteLine::Place;

/// All of a family without its default route. Some hosts have 2000::/3 for their IPv6 default, so
/// that is overridden, too.
std::vector<Prefix> everything(bool ipv4) {
  std::vector<Prefix> prefixes;
  const auto add = [&](const char* text) { prefixes.push_back(*Prefix::parse(text)); };
  if (ipv4) {
    add("0.0.0.0/1");
    add("128.0.0.0/1");
  } else {
    add("::/1");
    add("2000::/4");
    add("3000::/4");
    add("8000::/1");
  }
  return prefixes;
}

/// Gathers the routes of one client.
class RouteBook {
 public:
  RouteBook(ClientNetwork& network, const NetworkLines& lines, const IpAddress& server)
      : network_(network), lines_(lines), server_(server) {}

  void write();

 private:
  void add(const RouteLine& line);
  void add_inside(const RouteLine& line, const Prefix& destination);
  void redirect(bool ipv4, const std::string& cause);
  void block(bool ipv4);
  void leave_out_what_is_there();
  void leave_aside(const RouteLine& line, std::string_view why);
  [[nodiscard]] std::optional<Prefix> destination_of(const RouteLine& line) const;
  [[nodiscard]] bool is_inside(const IpAddress& gateway) const;
  [[nodiscard]] std::optional<IpAddress> vpn_gateway() const;
  [[nodiscard]] bool has_address(bool ipv4) const {
    return ipv4 ? network_.link.v4.has_value() : network_.link.v6.has_value();
  }

  ClientNetwork& network_;
  const NetworkLines& lines_;
  const IpAddress& server_;
};

void RouteBook::write() {
  for (const RouteLine& line : lines_.routes) add(line);
  const RedirectLine& flags = lines_.redirect;
  if (flags.all_traffic && flags.ipv4) redirect(true, "redirect-gateway");
  if (flags.all_traffic && flags.ipv6) redirect(false, "redirect-gateway ipv6");
  if (lines_.block_ipv6) block(false);
  network_.no_server_route = flags.local;
  network_.bypass_dns = flags.bypass_dns;
  network_.block_local = flags.block_local;
  leave_out_what_is_there();
}

void RouteBook::leave_aside(const RouteLine& line, std::string_view why) {
  network_.notes.push_back(fmt::format("`{}` is left aside: {}", line.text, why));
}

/// The other end of the tunnel, over IPv4.
std::optional<IpAddress> RouteBook::vpn_gateway() const {
  if (lines_.route_gateway) return lines_.route_gateway;
  if (lines_.ifconfig && lines_.topology != "subnet") return lines_.ifconfig->netmask_or_peer;
  return std::nullopt;
}

std::optional<Prefix> RouteBook::destination_of(const RouteLine& line) const {
  switch (line.destination) {
    case Place::Address: return line.network;
    case Place::RemoteHost: return Prefix::host(server_);
    case Place::VpnGateway: {
      const auto gateway = vpn_gateway();
      return gateway ? std::optional(Prefix::host(*gateway)) : std::nullopt;
    }
    case Place::NetGateway:
    case Place::Name: return std::nullopt;
  }
  return std::nullopt;
}

bool RouteBook::is_inside(const IpAddress& gateway) const {
  if (gateway == vpn_gateway() || gateway == lines_.route_ipv6_gateway) return true;
  if (lines_.ifconfig_ipv6 && gateway == lines_.ifconfig_ipv6->peer) return true;
  for (const auto& own : {network_.link.v4, network_.link.v6}) {
    const auto subnet = own ? Prefix::parse(own->to_string(), true) : std::nullopt;
    if (subnet && subnet->contains(gateway)) return true;
  }
  return false;
}

void RouteBook::add(const RouteLine& line) {
  const auto destination = destination_of(line);
  if (!destination) return leave_aside(line, "there is no such address to lead to");
  const std::optional<std::uint32_t> metric = line.metric ? line.metric : lines_.route_metric;
  switch (line.gateway) {
    case Place::VpnGateway: return add_inside(line, *destination);
    case Place::NetGateway:
      network_.beside.push_back(
          {.destination = *destination, .gateway = std::nullopt, .metric = metric});
      return;
    case Place::RemoteHost:
      network_.beside.push_back(
          {.destination = *destination, .gateway = server_, .metric = metric});
      return;
    case Place::Address:
      if (is_inside(line.gateway_address)) return add_inside(line, *destination);
      network_.beside.push_back(
          {.destination = *destination, .gateway = line.gateway_address, .metric = metric});
      return;
    case Place::Name: return;  // No gateway is one.
  }
}

void RouteBook::add_inside(const RouteLine& line, const Prefix& destination) {
  const bool ipv4 = destination.address.is_v4();
  if (line.destination == Place::RemoteHost) {
    return leave_aside(line, "it would lead what is sent to the server into the tunnel");
  }
  if (destination.length == 0) return redirect(ipv4, line.text);
  if (!ipv4 && lines_.block_ipv6) return leave_aside(line, "IPv6 is blocked");
  // It would have no address to leave from: the server's other half, which is not ours.
  if (!has_address(ipv4)) return leave_aside(line, "we have no address of its family");
  network_.link.routes.push_back(
      {.destination = destination, .metric = line.metric ? line.metric : lines_.route_metric});
}

void RouteBook::redirect(bool ipv4, const std::string& cause) {
  if (!ipv4 && lines_.block_ipv6) return;
  if (!has_address(ipv4)) {
    network_.notes.push_back(fmt::format(
        "`{}`: the tunnel has no {} address, so {} is unreachable, lest it leaves beside the "
        "tunnel",
        cause, ipv4 ? "IPv4" : "IPv6", ipv4 ? "IPv4" : "IPv6"));
    return block(ipv4);
  }
  for (const Prefix& prefix : everything(ipv4)) {
    network_.link.routes.push_back({.destination = prefix, .metric = std::nullopt, .must = true});
  }
}

void RouteBook::block(bool ipv4) {
  for (const Prefix& prefix : everything(ipv4)) {
    if (std::ranges::find(network_.unreachable, prefix) == network_.unreachable.end()) {
      network_.unreachable.push_back(prefix);
    }
  }
}

/// The kernel refuses a route that is there already: one for the tunnel's own network, which comes
/// with the address, and one that was named twice, as by `ifconfig` and `route`, or here and there.
void RouteBook::leave_out_what_is_there() {
  std::vector<Prefix> there;
  for (const auto& own : {network_.link.v4, network_.link.v6}) {
    const auto subnet = own ? Prefix::parse(own->to_string(), true) : std::nullopt;
    if (subnet) there.push_back(*subnet);
  }
  std::erase_if(network_.link.routes, [&](const LinkRoute& route) {
    if (std::ranges::find(there, route.destination) != there.end()) return true;
    there.push_back(route.destination);
    return false;
  });
}

}  // namespace

void set_client_routes(ClientNetwork& network, const NetworkLines& lines, const IpAddress& server) {
  RouteBook(network, lines, server).write();
}

}  // namespace ringway
