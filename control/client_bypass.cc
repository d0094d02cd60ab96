#include "control/client_bypass.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace ringway {
namespace {

bool is_loopback(const IpAddress& address) {
  return address.is_v4() ? address.v4_value() >> 24 == 127 : address == *IpAddress::parse("::1");
}

/// The halves of a network, each narrower than the network itself.
std::vector<Prefix> halves_of(const Prefix& network) {
  const auto length = static_cast<std::uint8_t>(network.length + 1);
  std::array<std::uint8_t, 16> bytes = network.address.bytes();
  const std::size_t bit = network.length + (network.address.is_v4() ? 96u : 0u);
  bytes[bit / 8] |= static_cast<std::uint8_t>(0x80u >> bit % 8);
  const IpAddress upper =
      network.address.is_v4() ? IpAddress::v4(Bytes(bytes).subspan(12)) : IpAddress::v6(bytes);
  return {{.address = network.address, .length = length}, {.address = upper, .length = length}};
}

/// Gathers one bypass.
class Planner {
 public:
  Planner(const ClientNetwork& network, const HostView& host) : network_(network), host_(host) {}

  ClientBypass plan(std::span<const IpAddress> servers);

 private:
  void block_local(std::span<const IpAddress> servers);
  void block_local_of(const HostRoute& way);
  void keep_reachable(const IpAddress& address);
  void add_named(const BesideRoute& route);
  [[nodiscard]] bool is_covered(const IpAddress& address, const HostRoute& way) const;
  void add(HostRoute route);

  const ClientNetwork& network_;
  const HostView& host_;
  ClientBypass bypass_;
};

ClientBypass Planner::plan(std::span<const IpAddress> servers) {
  if (network_.block_local) block_local(servers);
  if (!network_.no_server_route) {
    for (const IpAddress& server : servers) keep_reachable(server);
  }
  if (network_.bypass_dns) {
    for (const IpAddress& server : host_.name_servers) {
      if (!is_loopback(server)) keep_reachable(server);
    }
  }
  for (const BesideRoute& route : network_.beside) add_named(route);
  for (const Prefix& prefix : network_.unreachable) {
    add({.destination = prefix, .is_unreachable = true});
  }
  return std::move(bypass_);
}

void Planner::add(HostRoute route) {
  const auto same = [&](const HostRoute& other) { return other.destination == route.destination; };
  if (std::ranges::none_of(bypass_.beside, same)) bypass_.beside.push_back(std::move(route));
}

/// Whether the tunnel takes what goes `way` today.
bool Planner::is_covered(const IpAddress& address, const HostRoute& way) const {
  const auto takes = [&](const Prefix& prefix) {
    return prefix.contains(address) && prefix.length >= way.destination.length;
  };
  const auto leads_inside = [&](const LinkRoute& route) { return takes(route.destination); };
  return std::ranges::any_of(network_.link.routes, leads_inside) ||
         std::ranges::any_of(bypass_.inside, leads_inside) ||
         std::ranges::any_of(network_.unreachable, takes);
}

void Planner::keep_reachable(const IpAddress& address) {
  const HostRoute* way = find_route(host_.routes, address, host_.tunnel);
  if (way == nullptr || way->is_unreachable || !is_covered(address, *way)) return;
  HostRoute own = *way;
  own.destination = Prefix::host(address);
  own.metric.reset();
  add(std::move(own));
}

void Planner::add_named(const BesideRoute& route) {
  // A gateway that is named must be a neighbour; `net_gateway` is that of the default route.
  const IpAddress any = route.destination.address.is_v4() ? IpAddress::v4(0) : IpAddress();
  const HostRoute* way =
      find_route(host_.routes, route.gateway ? *route.gateway : any, host_.tunnel);
  const std::string name = route.destination.to_string();
  if (way == nullptr || way->is_unreachable || (route.gateway && way->gateway)) {
    bypass_.notes.push_back(
        route.gateway ? fmt::format("the route {} is left aside: its gateway {} is neither in the "
                                    "tunnel nor a neighbour of this host",
                                    name, route.gateway->to_string())
                      : fmt::format("the route {} is left aside: this host has no default gateway "
                                    "of its family",
                                    name));
    return;
  }
  HostRoute own = *way;
  own.destination = route.destination;
  own.metric = route.metric;
  if (route.gateway) own.gateway = route.gateway;
  add(std::move(own));
}

/// The network in which the way to the server begins goes into the tunnel, but for the gateway.
void Planner::block_local(std::span<const IpAddress> servers) {
  std::vector<IpAddress> ends(servers.begin(), servers.end());
  ends.push_back(IpAddress::v4(0));
  ends.emplace_back();
  for (const IpAddress& end : ends) {
    const HostRoute* way = find_route(host_.routes, end, host_.tunnel);
    if (way != nullptr && !way->is_unreachable) block_local_of(*way);
  }
}

void Planner::block_local_of(const HostRoute& way) {
  const Prefix link_local = *Prefix::parse("fe80::/10");
  const bool ipv4 = way.destination.address.is_v4();
  if (ipv4 ? !network_.link.v4 : !network_.link.v6) return;
  for (const HostRoute& local : host_.routes) {
    const Prefix& network = local.destination;
    const bool is_network = !local.gateway && !local.is_unreachable && network.length > 0 &&
                            network.length < (ipv4 ? 32 : 128);
    if (!is_network || local.device != way.device || network.address.is_v4() != ipv4 ||
        link_local.contains(network)) {
      continue;
    }
    for (const Prefix& half : halves_of(network)) {
      const LinkRoute route{.destination = half, .metric = std::nullopt, .must = true};
      if (std::ranges::find(bypass_.inside, route) == bypass_.inside.end()) {
        bypass_.inside.push_back(route);
      }
    }
  }
  if (way.gateway && !link_local.contains(*way.gateway)) keep_reachable(*way.gateway);
}

}  // namespace

ClientBypass ClientBypass::make(const ClientNetwork& network, std::span<const IpAddress> servers,
                                const HostView& host) {
  return Planner(network, host).plan(servers);
}

std::vector<IpAddress> name_servers_of(std::string_view resolv_conf) {
  constexpr std::string_view kKeyword = "nameserver";
  std::vector<IpAddress> servers;
  while (!resolv_conf.empty()) {
    const std::size_t end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    std::string_view line = resolv_conf.substr(0, end);
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
    if (!line.starts_with(kKeyword)) continue;
    line.remove_prefix(kKeyword.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const auto address = IpAddress::parse(line.substr(0, line.find_first_of(" \t\r%")));
    if (address) servers.push_back(*address);
  }
  return servers;
}

}  // namespace ringway
