#include "control/client_device.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/log.h"
#include "base/unique_fd.h"
#include "control/open_patiently.h"
#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// The address that the kernel would send from: connecting a UDP socket asks its routes and sends
/// nothing.
std::optional<IpAddress> source_towards(const Endpoint& server) {
  const bool ipv6 = !server.address.is_v4();
  const UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return std::nullopt;
  const SocketName name = SocketName::of(server, ipv6);
  if (::connect(fd.get(), name.get(), name.size) != 0) return std::nullopt;
  alignas(sockaddr_in6) std::array<std::uint8_t, sizeof(sockaddr_in6)> own{};
  socklen_t size = own.size();
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(own.data()), &size) != 0) {
    return std::nullopt;
  }
  const auto endpoint = decode_socket_name(Bytes(own).first(size));
  return endpoint ? std::optional(endpoint->address) : std::nullopt;
}

Result<void> check_route_to(const Endpoint& server, const LinkSettings& link) {
  const std::optional<IpAddress> source = source_towards(server);
  const bool is_inside = source && ((link.v4 && link.v4->address == *source) ||
                                    (link.v6 && link.v6->address == *source));
  if (!is_inside) return {};
  const std::string host = server.address.to_string();
  return fail(fmt::format("the tunnel's routes cover the server itself ({}): what is sent to it "
                          "would go round in circles",
                          host),
              {},
              fmt::format("add a route to {} beside the tunnel (ip route add {} via GATEWAY), or "
                          "write `route-nopull`",
                          host, host));
}

/// Those of `routes` that stay the host's. A client that was killed leaves its device, and with it
/// its routes, for some moments: they are waited for, lest its successor does without.
std::vector<LinkRoute> set_later(LinkConfig& link, std::vector<LinkRoute> routes) {
  const auto set_all = [&]() -> Result<void> {
    std::erase_if(routes,
                  [&](const LinkRoute& route) { return link.add_route(route).value_or(false); });
    if (!routes.empty()) return fail("the host has these routes already");
    return {};
  };
  if (open_patiently(set_all)) routes.clear();
  return routes;
}

std::vector<LinkRoute> all_but(std::vector<LinkRoute> routes,
                               const std::vector<LinkRoute>& others) {
  std::erase_if(routes, [&](const LinkRoute& route) {
    return std::ranges::find(others, route) != others.end();
  });
  return routes;
}

Result<void> check_left_out(const std::vector<LinkRoute>& left_out) {
  for (const LinkRoute& route : left_out) {
    const std::string destination = route.destination.to_string();
    const char* family = route.destination.address.is_v4() ? "" : " -6";
    if (route.must) {
      return fail(fmt::format("all traffic is meant for the tunnel, but the host's route {} would "
                              "keep some of it: another VPN?",
                              destination),
                  {},
                  fmt::format("delete that route (see \"ip{} route show {}\"), or write "
                              "`pull-filter ignore \"redirect-gateway\"`",
                              family, destination));
    }
    log::warning(
        "the route {} is left aside: this host has one already, and what is sent there does not go "
        "through the tunnel — to change that, delete the host's (see \"ip{} route show {}\") and "
        "connect anew",
        destination, family, destination);
  }
  return {};
}

}  // namespace

Result<ClientDevice> ClientDevice::open(const Settings& settings, const ClientNetwork& network) {
  Result<TunDevice> tun = open_patiently([&] {
    return TunDevice::open(
        {.name = settings.name, .queue_count = 1, .offloads = settings.offloads});
  });
  if (!tun) return std::unexpected(tun.error());
  Result<LinkConfig> link = LinkConfig::open(tun->name());
  if (!link) return std::unexpected(link.error());
  // The way beside the tunnel stands before the tunnel's own routes hide it.
  Result<HostBypass> bypass = HostBypass::open(link->index(), settings.journal);
  if (!bypass) return std::unexpected(bypass.error());
  const auto inside = bypass->set(network, std::array{settings.server.address});
  if (!inside) return std::unexpected(inside.error());
  LinkSettings wanted = network.link;
  wanted.routes.insert(wanted.routes.end(), inside->begin(), inside->end());

  const Result<std::vector<LinkRoute>> taken = link->apply(wanted);
  if (!taken) return std::unexpected(taken.error());
  const std::vector<LinkRoute> left_out = set_later(*link, *taken);
  if (auto checked = check_left_out(left_out); !checked) return std::unexpected(checked.error());
  if (auto checked = check_route_to(settings.server, wanted); !checked) {
    return std::unexpected(checked.error());
  }
  ClientDevice device(std::move(*tun), std::move(*bypass), network,
                      all_but(std::move(wanted.routes), left_out), settings.journal);
  device.servers_ = {settings.server};
  device.scripts_ = std::make_unique<ClientScripts>(
      ClientScripts::Facts{.device = device.name(), .server = settings.server}, network,
      settings.config, *device.commands_);
  device.scripts_->run_up();
  device.set_name_servers();
  return device;
}

Result<bool> ClientDevice::change(const ClientNetwork& network) {
  LinkSettings without_routes = network.link;
  without_routes.routes = network_.link.routes;
  if (without_routes != network_.link) return false;
  Result<LinkConfig> link = LinkConfig::open(name());
  if (!link) return std::unexpected(link.error());
  // First the ways beside the tunnel, as at the start.
  std::vector<IpAddress> servers;
  for (const Endpoint& server : servers_) servers.push_back(server.address);
  const auto inside = bypass_.set(network, servers);
  if (!inside) return std::unexpected(inside.error());
  std::vector<LinkRoute> wanted = network.link.routes;
  wanted.insert(wanted.end(), inside->begin(), inside->end());

  for (const LinkRoute& route : all_but(routes_, wanted)) {
    if (auto removed = link->remove_route(route); !removed) return std::unexpected(removed.error());
  }
  std::vector<LinkRoute> left_out;
  for (const LinkRoute& route : all_but(wanted, routes_)) {
    const Result<bool> added = link->add_route(route);
    if (!added) return std::unexpected(added.error());
    if (!*added) left_out.push_back(route);
  }
  routes_ = all_but(std::move(wanted), left_out);
  if (auto checked = check_left_out(left_out); !checked) return std::unexpected(checked.error());
  LinkSettings now_set = network.link;
  now_set.routes = routes_;
  for (const Endpoint& server : servers_) {
    if (auto checked = check_route_to(server, now_set); !checked) {
      return std::unexpected(checked.error());
    }
  }
  const bool has_other_dns = network_.dns != network.dns;
  network_ = network;
  if (has_other_dns && !is_paused_) set_name_servers();
  return true;
}

void ClientDevice::set_name_servers() {
  // The former are gone before: both are one entry of the same name.
  dns_.reset();
  dns_ = std::make_unique<ClientDns>(name(), *commands_, *journal_);
  dns_->set(network_.dns);
}

void ClientDevice::pause() {
  if (is_paused_) return;
  is_paused_ = true;
  dns_.reset();
  // Where they are not on the link, the tunnel's routes would take what is sent to them.
  const std::vector<Endpoint> servers = servers_;
  if (auto kept = keep_reachable(servers); !kept) log::warning("{}", kept.error().to_string());
}

Result<void> ClientDevice::resume(const Endpoint& server) {
  if (std::exchange(is_paused_, false)) set_name_servers();
  return keep_reachable(std::array{server});
}

ClientDevice::~ClientDevice() {
  if (!scripts_) return;  // Moved from.
  scripts_->run_before_down();
  dns_.reset();
  scripts_->run_down();
}

Result<void> ClientDevice::turn() {
  commands_->turn();
  return scripts_->failure() ? fail(scripts_->failure()->what, scripts_->failure()->where,
                                    scripts_->failure()->advice)
                             : Result<void>{};
}

Result<void> ClientDevice::keep_reachable(std::span<const Endpoint> servers) {
  servers_.assign(servers.begin(), servers.end());
  std::vector<IpAddress> addresses;
  for (const Endpoint& server : servers) addresses.push_back(server.address);
  ClientNetwork network = network_;
  if (is_paused_) network.bypass_dns = true;
  const auto set = bypass_.set(network, addresses);
  if (!set) return std::unexpected(set.error());
  return {};
}

}  // namespace ringway
