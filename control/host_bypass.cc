#include "control/host_bypass.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <string>
#include <utility>

#include "base/log.h"
#include "control/client_dns.h"
#include "control/config/config_files.h"

namespace ringway {
namespace {

constexpr std::string_view kRouteDeed = "route ";

/// What the host's resolver asks. systemd-resolved's stub is the host itself, and names those
/// behind it in a file of its own.
std::vector<IpAddress> name_servers() {
  std::vector<IpAddress> servers;
  for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
    const Result<std::string> text = read_text_file(path);
    if (!text) continue;
    for (const IpAddress& server : name_servers_of(*text)) servers.push_back(server);
  }
  return servers;
}

}  // namespace

std::string route_deed(const HostRoute& route) {
  return std::string(kRouteDeed) + route.to_string();
}

Result<void> undo_deed(const std::string& deed) {
  if (deed.starts_with(kRouteDeed)) {
    const auto route = HostRoute::parse(std::string_view(deed).substr(kRouteDeed.size()));
    if (!route) return fail("this is no route");
    Result<HostRoutes> routes = HostRoutes::open();
    if (!routes) return std::unexpected(routes.error());
    return routes->remove(*route);
  }
  const auto command = dns_undo(deed);
  if (!command) return fail("nobody knows how");
  const CommandEnd end = run_command(*command);
  // The servers of a link that systemd-resolved knew went with the link.
  if (end.succeeded() || deed.starts_with("resolvectl ")) return {};
  return fail(log::escape(end.output));
}

Result<HostBypass> HostBypass::open(unsigned tunnel, UndoJournal& journal) {
  Result<HostRoutes> routes = HostRoutes::open();
  if (!routes) return std::unexpected(routes.error());
  return HostBypass(std::move(*routes), tunnel, journal);
}

HostBypass::~HostBypass() {
  while (!set_.empty()) remove(HostRoute(set_.back()));
}

Result<std::vector<LinkRoute>> HostBypass::set(const ClientNetwork& network,
                                               std::span<const IpAddress> servers) {
  HostView view{.routes = {}, .tunnel = tunnel_, .name_servers = {}};
  Result<std::vector<HostRoute>> routes = host_.list();
  if (!routes) return std::unexpected(routes.error());
  view.routes = std::move(*routes);
  if (network.bypass_dns) view.name_servers = name_servers();

  ClientBypass bypass = ClientBypass::make(network, servers, view);
  for (const std::string& note : bypass.notes) log::warning("{}", note);
  const std::vector<HostRoute> before = set_;
  for (const HostRoute& route : std::views::reverse(before)) {
    if (std::ranges::find(bypass.beside, route) == bypass.beside.end()) remove(route);
  }
  for (const HostRoute& route : bypass.beside) {
    if (std::ranges::find(set_, route) != set_.end()) continue;
    if (auto added = add(route); !added) {
      if (route.is_unreachable) return std::unexpected(added.error());
      // A server that cannot be reached for want of it is noticed when the tunnel's routes stand.
      log::warning("{}", added.error().to_string());
    }
  }
  return std::move(bypass.inside);
}

Result<void> HostBypass::add(const HostRoute& route) {
  const std::string deed = route_deed(route);
  journal_->note(deed);
  const Result<bool> added = host_.add(route);
  if (added && *added) {
    log::info("route beside the tunnel: {}", route.to_string());
    set_.push_back(route);
    return {};
  }
  journal_->strike(deed);
  if (!added) return std::unexpected(added.error());
  log::info("route beside the tunnel: {} is the host's own already", route.to_string());
  return {};
}

void HostBypass::remove(const HostRoute& route) {
  const Result<void> removed = host_.remove(route);
  if (removed) {
    journal_->strike(route_deed(route));
  } else {
    log::warning("{}", removed.error().to_string());
  }
  std::erase(set_, route);
}

}  // namespace ringway
