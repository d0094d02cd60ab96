#include "control/client_device.h"

#include <fmt/format.h>
#include <sys/socket.h>

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

}  // namespace

Result<ClientDevice> ClientDevice::open(const Settings& settings, const ClientNetwork& network) {
  Result<TunDevice> tun = open_patiently([&] {
    return TunDevice::open(
        {.name = settings.name, .queue_count = 1, .offloads = settings.offloads});
  });
  if (!tun) return std::unexpected(tun.error());
  Result<LinkConfig> link = LinkConfig::open(tun->name());
  if (!link) return std::unexpected(link.error());
  const Result<std::vector<LinkRoute>> taken = link->apply(network.link);
  if (!taken) return std::unexpected(taken.error());
  const std::vector<LinkRoute> left_out = set_later(*link, *taken);
  for (const LinkRoute& route : left_out) {
    const std::string destination = route.destination.to_string();
    log::warning(
        "the route {} is left aside: this host has one already, and what is sent there does not go "
        "through the tunnel — to change that, delete the host's (see \"ip{} route show {}\") and "
        "connect anew",
        destination, route.destination.address.is_v4() ? "" : " -6", destination);
  }
  if (auto checked = check_route_to(settings.server, network.link); !checked) {
    return std::unexpected(checked.error());
  }
  return ClientDevice(std::move(*tun), network, network.link.routes.size() - left_out.size());
}

}  // namespace ringway
