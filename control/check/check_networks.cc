#include <fmt/format.h>

#include "control/check/address_kind.h"
#include "control/check/inspection.h"
#include "control/check/pushed_options.h"
#include "control/config/tunnel_addresses.h"

/// The tunnel's networks beside the others.
namespace ringway {
namespace {

std::string_view option_of(const Prefix& network, const ConfigDraft& draft) {
  if (network.address.is_v4()) return draft.ifconfig ? "ifconfig" : "server";
  return draft.ifconfig_ipv6 ? "ifconfig-ipv6" : "server-ipv6";
}

/// An address of the tunnel's device: that of this server while it runs.
bool is_of_own_device(const HostInterface& interface, const HostAddress& own,
                      const TunnelConfig& tunnel) {
  return interface.is_tun &&
         (own.address == own_address_v4(tunnel) || own.address == own_address_v6(tunnel));
}

void check_host(const Prefix& network, const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  for (const HostInterface& interface : inspection.host->interfaces) {
    for (const HostAddress& own : interface.addresses) {
      const auto other =
          Prefix::parse(fmt::format("{}/{}", own.address.to_string(), own.prefix_length), true);
      if (!other || !overlap(network, *other)) continue;
      if (is_of_own_device(interface, own, draft.config.tunnel)) continue;
      findings.add("pool-overlaps-host",
                   {.where = draft.place_of(option_of(network, draft)),
                    .what = fmt::format("the tunnel's network {} overlaps {} of {}",
                                        network.to_string(), other->to_string(), interface.name),
                    .why = "one of the two is not reached while the server runs",
                    .write = fmt::format("another network in `{}`", option_of(network, draft))});
    }
  }
}

/// A route for exactly the tunnel's network does no harm, and a wider one is a common way to write
/// "all that is private".
void check_pushed(const Prefix& network, const ConfigDraft& draft, const PushedRoutes& pushed,
                  FindingList& findings) {
  for (const Prefix& route : pushed.routes) {
    if (!network.contains(route) || route == network) continue;
    findings.add("push-overlaps-pool",
                 {.where = draft.place_of("push"),
                  .what = fmt::format("the pushed route {} lies in the tunnel's network {}",
                                      route.to_string(), network.to_string()),
                  .why = "other clients have these addresses; a network behind the server cannot "
                         "have them too",
                  .write = fmt::format("another network in `{}`, or no such route",
                                       option_of(network, draft))});
  }
}

void check_way_to_server(const Inspection& inspection, const PushedRoutes& pushed,
                         FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  for (const ListenConfig& listen : draft.config.listen) {
    if (!listen.address) continue;
    for (const Prefix& route : pushed.routes) {
      if (!route.contains(*listen.address)) continue;
      findings.add("push-covers-server",
                   {.where = draft.place_of("push"),
                    .what = fmt::format("the pushed route {} holds {}, where the server listens",
                                        route.to_string(), listen.address->to_string()),
                    .why = "a client whose gateway is another sends the tunnel's own packets into "
                           "the tunnel",
                    .write = "a route that leaves the server's outer address out"});
    }
  }
}

/// 192.168.0.0/24, 192.168.1.0/24, 192.168.2.0/24, 192.168.178.0/24, 10.0.0.0/24: what routers for
/// homes are sold with.
void check_common(const Prefix& network, const ConfigDraft& draft, FindingList& findings) {
  for (const char* common :
       {"192.168.0.0/24", "192.168.1.0/24", "192.168.2.0/24", "192.168.178.0/24", "10.0.0.0/24"}) {
    const Prefix home = *Prefix::parse(common);
    if (!overlap(network, home)) continue;
    findings.add("pool-common",
                 {.where = draft.place_of(option_of(network, draft)),
                  .what = fmt::format("the tunnel's network {} overlaps {}, which many homes have",
                                      network.to_string(), common),
                  .why = "clients in such a home reach either their own network or the tunnel",
                  .write = "a network that few have, as `server 10.83.147.0 255.255.255.0`"});
    return;
  }
}

void check_size(const ConfigDraft& draft, FindingList& findings) {
  const TunnelConfig& tunnel = draft.config.tunnel;
  const auto size = pool_size(tunnel);
  if (!size || !draft.has("max-clients") || draft.config.clients_max <= *size) return;
  findings.add("pool-small",
               {.where = draft.place_of("max-clients"),
                .what = fmt::format("`max-clients {}`, and the pool has {} addresses",
                                    draft.config.clients_max, *size),
                .why = "later clients get none",
                .write = fmt::format("a larger network, or `max-clients {}`", *size)});
}

}  // namespace

void check_networks(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  const TunnelConfig& tunnel = draft.config.tunnel;
  const PushedRoutes pushed = pushed_routes(draft.config);
  for (const auto& network : {tunnel.network_v4, tunnel.network_v6}) {
    if (!network) continue;
    check_pushed(*network, draft, pushed, findings);
    if (network->address.is_v4()) check_common(*network, draft, findings);
    if (inspection.host != nullptr) check_host(*network, inspection, findings);
  }
  check_way_to_server(inspection, pushed, findings);
  check_size(draft, findings);
}

}  // namespace ringway
