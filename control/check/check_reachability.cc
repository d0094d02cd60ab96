#include <fmt/format.h>

#include "control/check/address_kind.h"
#include "control/check/inspection.h"

/// Whether clients can reach this machine at all, as far as its addresses tell.
namespace ringway {
namespace {

struct Reach {
  bool has_public_v4 = false;
  bool has_global_v6 = false;
  /// The first that is shared or private, for the text.
  std::string shared_v4;
  std::string private_v4;
};

Reach reach_of(const HostFacts& host) {
  Reach reach;
  for (const HostInterface& interface : host.interfaces) {
    if (interface.is_tun || !interface.is_up) continue;
    for (const HostAddress& own : interface.addresses) {
      const AddressKind kind = kind_of(own.address);
      if (!own.address.is_v4()) {
        reach.has_global_v6 = reach.has_global_v6 || kind == AddressKind::Public;
        continue;
      }
      const std::string text = fmt::format("{} on {}", own.address.to_string(), interface.name);
      if (kind == AddressKind::Public) reach.has_public_v4 = true;
      if (kind == AddressKind::Shared && reach.shared_v4.empty()) reach.shared_v4 = text;
      if (kind == AddressKind::Private && reach.private_v4.empty()) reach.private_v4 = text;
    }
  }
  return reach;
}

}  // namespace

void check_reachability(const Inspection& inspection, FindingList& findings) {
  const HostFacts& host = *inspection.host;
  if (host.interfaces.empty()) return;
  const Reach reach = reach_of(host);
  if (reach.has_public_v4) return;
  if (!reach.shared_v4.empty()) {
    findings.add("no-public-ipv4",
                 {.where = "",
                  .what = fmt::format("this machine's IPv4 address is shared with others ({})",
                                      reach.shared_v4),
                  .why = "100.64.0.0/10 and 192.0.0.0/29 are behind the provider's NAT (CGN, "
                         "DS-Lite): nobody can open a connection to it, so clients must use IPv6",
                  .write = "an AAAA record for the name in the profiles, and `remote NAME PORT "
                           "udp6` or `udp` in them"});
  } else if (!reach.private_v4.empty()) {
    findings.add(
        "nat-ipv4",
        {.where = "",
         .what = fmt::format("this machine's IPv4 addresses are private ({})", reach.private_v4),
         .why = "clients outside reach them by a port that the router forwards, and not at "
                "all when the router itself has no public IPv4 (DS-Lite, CGN)",
         .write = "a port forwarding (UDP) in the router, or an AAAA record for IPv6"});
  }
  if (!reach.has_global_v6) {
    findings.add("no-global-ipv6",
                 {.where = "",
                  .what = "this machine has neither a public IPv4 nor a global IPv6 address",
                  .why = "clients on the Internet reach it by a forwarded port at best",
                  .write = "ask for IPv6 at the provider or the hoster, or see that the router "
                           "forwards the port"});
  }
}

}  // namespace ringway
