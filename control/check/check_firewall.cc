#include <fmt/format.h>

#include <set>

#include "control/check/inspection.h"
#include "control/check/nft_ruleset.h"
#include "control/check/pushed_options.h"

/// The firewall's word on the listeners' ports and on what comes out of the tunnel.
namespace ringway {
namespace {

void check_port(const ListenConfig& listen, const NftRuleset& rules, FindingList& findings) {
  const std::string_view protocol = listen.proto_text.starts_with("tcp") ? "tcp" : "udp";
  switch (rules.incoming(protocol, listen.port)) {
    case FirewallVerdict::Open: return;
    case FirewallVerdict::Accepts:
      findings.add("firewall-accepts",
                   {.where = listen.where,
                    .what = fmt::format("the firewall lets {} port {} in", protocol, listen.port)});
      return;
    case FirewallVerdict::Drops:
      findings.add(
          "firewall-drops",
          {.where = listen.where,
           .what = fmt::format("no rule of the firewall lets {} port {} in", protocol, listen.port),
           .why = "the default is to drop: clients get no answer",
           .write = fmt::format("nft add rule inet filter input {} dport {} accept (with "
                                "your table and chain; ufw: ufw allow {}/{})",
                                protocol, listen.port, listen.port, protocol)});
      return;
    case FirewallVerdict::Unclear:
      findings.add("firewall-unread",
                   {.where = listen.where,
                    .what = fmt::format("whether the firewall lets {} port {} in depends on rules "
                                        "that are not judged here",
                                        protocol, listen.port),
                    .why = "sets, addresses or iptables matches decide",
                    .write = "see `nft list ruleset`"});
      return;
  }
}

void check_forwarded(const Inspection& inspection, const NftRuleset& rules, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  const PushedRoutes pushed = pushed_routes(draft.config);
  const bool leads_here = pushed.redirects_v4 || pushed.redirects_v6 || !pushed.routes.empty();
  if (!leads_here) return;
  // "tun" lets the kernel number the device.
  const std::string device =
      draft.config.tunnel.device == "tun" ? "tun0" : draft.config.tunnel.device;
  if (rules.forwarded(device) == FirewallVerdict::Drops) {
    findings.add(
        "forward-drops",
        {.where = draft.place_of("push"),
         .what = fmt::format("no rule of the firewall lets packets from {} through", device),
         .why = "the default is to drop: clients reach this machine alone",
         .write = fmt::format("nft add rule inet filter forward iifname \"{}\" accept, "
                              "and one for the answers (with your table and chain)",
                              device)});
  }
  if (pushed.redirects_v4 && !rules.translates_sources()) {
    findings.add("no-masquerade",
                 {.where = draft.place_of("push"),
                  .what = "clients send all IPv4 traffic here, and no rule translates its source "
                          "addresses",
                  .why = "answers from the Internet do not find the way back to private addresses",
                  .write = "nft add rule ip nat postrouting ip saddr 10.8.0.0/24 masquerade (with "
                           "your network, table and chain), unless a router does it"});
  }
}

}  // namespace

void check_firewall(const Inspection& inspection, FindingList& findings) {
  const HostFacts& host = *inspection.host;
  if (host.nft_ruleset.empty() || host.has_legacy_tables) {
    findings.add(
        "firewall-unread",
        {.where = "",
         .what = host.has_legacy_tables
                     ? "iptables-legacy has rules, which are not read here"
                     : fmt::format("the firewall's rules could not be read: {}", host.nft_problem),
         .why = "whether they let clients in is not known",
         .write = host.has_legacy_tables ? "see `iptables-legacy-save`"
                                         : "run this as root, with nftables installed"});
    return;
  }
  const NftRuleset rules(host.nft_ruleset);
  std::set<std::string> seen;
  for (const ListenConfig& listen : inspection.survey.draft.config.listen) {
    if (!seen.insert(fmt::format("{}/{}", listen.proto_text, listen.port)).second) continue;
    check_port(listen, rules, findings);
  }
  check_forwarded(inspection, rules, findings);
}

}  // namespace ringway
