#include <fmt/format.h>

#include "control/check/inspection.h"
#include "control/check/pushed_options.h"

/// What the kernel must do with packets that come out of the tunnel.
namespace ringway {
namespace {

struct Needs {
  bool v4 = false;
  bool v6 = false;
};

/// Clients are told to send packets here that are not for this machine alone.
Needs needs_of(const ServerConfig& config) {
  const PushedRoutes pushed = pushed_routes(config);
  Needs needs{.v4 = pushed.redirects_v4, .v6 = pushed.redirects_v6};
  for (const Prefix& route : pushed.routes) {
    (route.address.is_v4() ? needs.v4 : needs.v6) = true;
  }
  return needs;
}

void check_router_advertisements(const HostFacts& host, FindingList& findings) {
  if (host.forwarding_v6.value_or(0) == 0) return;
  for (const HostInterface& interface : host.interfaces) {
    if (interface.is_tun || interface.accept_ra != 1) continue;
    bool has_dynamic = false;
    for (const HostAddress& own : interface.addresses) {
      has_dynamic = has_dynamic || (own.is_dynamic && !own.address.is_v4());
    }
    if (!has_dynamic) continue;
    findings.add("accept-ra",
                 {.where = "",
                  .what = fmt::format("net.ipv6.conf.{}.accept_ra is 1 while IPv6 is forwarded",
                                      interface.name),
                  .why = "a forwarding host does not hear router advertisements then: its default "
                         "route and its address go when their lifetime is over",
                  .write = fmt::format("sysctl -w net.ipv6.conf.{}.accept_ra=2, and the same in "
                                       "/etc/sysctl.d/",
                                       interface.name)});
  }
}

void check_reverse_path(const HostFacts& host, FindingList& findings) {
  std::size_t usable = 0;
  for (const HostInterface& interface : host.interfaces) {
    if (interface.name != "lo" && !interface.is_tun && interface.is_up &&
        !interface.addresses.empty()) {
      ++usable;
    }
  }
  if (host.rp_filter_all != 1 || usable < 2) return;
  findings.add("rp-filter",
               {.where = "",
                .what = fmt::format("net.ipv4.conf.all.rp_filter is 1 (strict), and {} interfaces "
                                    "are up",
                                    usable),
                .why = "a client that comes in by another interface than the route back to it is "
                       "dropped without a word",
                .write = "sysctl -w net.ipv4.conf.all.rp_filter=2"});
}

}  // namespace

void check_forwarding(const Inspection& inspection, FindingList& findings) {
  const HostFacts& host = *inspection.host;
  const Needs needs = needs_of(inspection.survey.draft.config);
  const std::string where = inspection.survey.draft.place_of("push");
  if (needs.v4 && host.forwarding_v4 == 0) {
    findings.add("ip-forward-off",
                 {.where = where,
                  .what = "clients send IPv4 packets for other hosts here, and net.ipv4.ip_forward "
                          "is 0",
                  .why = "the kernel drops them",
                  .write = "sysctl -w net.ipv4.ip_forward=1, and the same in /etc/sysctl.d/"});
  }
  if (needs.v6 && host.forwarding_v6 == 0) {
    findings.add("ipv6-forward-off",
                 {.where = where,
                  .what = "clients send IPv6 packets for other hosts here, and "
                          "net.ipv6.conf.all.forwarding is 0",
                  .why = "the kernel drops them",
                  .write = "sysctl -w net.ipv6.conf.all.forwarding=1, and the same in "
                           "/etc/sysctl.d/; accept_ra=2 where this machine's own address comes by "
                           "router advertisement"});
  }
  check_router_advertisements(host, findings);
  check_reverse_path(host, findings);
  if (host.conntrack_count && host.conntrack_max && *host.conntrack_max > 0 &&
      *host.conntrack_count * 10 > *host.conntrack_max * 8) {
    findings.add("conntrack-full",
                 {.where = "",
                  .what = fmt::format("the kernel tracks {} connections of at most {}",
                                      *host.conntrack_count, *host.conntrack_max),
                  .why = "when the table is full, packets of new connections are dropped",
                  .write = fmt::format("sysctl -w net.netfilter.nf_conntrack_max={}",
                                       *host.conntrack_max * 4)});
  }
}

}  // namespace ringway
