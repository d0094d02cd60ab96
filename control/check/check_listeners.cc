#include <fmt/format.h>

#include <algorithm>

#include "control/check/address_kind.h"
#include "control/check/inspection.h"

/// What each listener will serve, and whether its address is one of this machine's.
namespace ringway {
namespace {

std::string families_of(const ListenConfig& listen) {
  switch (listen.family) {
    case LinkFamily::Both: return "IPv4 and IPv6";
    case LinkFamily::V4Only: return "IPv4, no IPv6";
    case LinkFamily::V6Only: return "IPv6, no IPv4";
  }
  return "";
}

std::string address_text(const ListenConfig& listen) {
  if (!listen.host.empty()) return "the addresses of " + listen.host;
  if (!listen.address) return "every address";
  return listen.address->to_string() + (listen.scope.empty() ? "" : "%" + listen.scope);
}

void say_what_is_served(const ServerConfig& config, FindingList& findings) {
  for (const ListenConfig& listen : config.listen) {
    findings.add("listener",
                 {.where = listen.where,
                  .what = fmt::format("`proto {}`, {}, port {}: {}", listen.proto_text,
                                      address_text(listen), listen.port, families_of(listen))});
  }
}

void check_families(const ConfigDraft& draft, FindingList& findings) {
  const auto serves = [&](LinkFamily other) {
    return std::ranges::any_of(draft.config.listen,
                               [&](const ListenConfig& listen) { return listen.family != other; });
  };
  if (draft.config.listen.empty()) return;
  const auto dual = std::ranges::find_if(draft.config.listen, [](const ListenConfig& listen) {
    return listen.proto_text == "udp" && listen.family == LinkFamily::Both;
  });
  if (dual != draft.config.listen.end()) {
    findings.add("proto-udp-both",
                 {.where = dual->where,
                  .what = "`proto udp` serves IPv4 and IPv6 by one socket a worker",
                  .why = "OpenVPN serves IPv4 alone with this line, and both with `proto udp6`",
                  .write = "nothing; `proto udp4` where IPv6 is not wanted"});
  }
  if (!serves(LinkFamily::V4Only)) {
    findings.add("ipv6-not-served",
                 {.where = draft.config.listen.front().where,
                  .what = "no listener serves IPv6",
                  .why = "behind DS-Lite a client reaches IPv4 through the provider's NAT alone, "
                         "and a server behind DS-Lite is not reached over IPv4 at all",
                  .write = "`proto udp`, and `local *` or an IPv6 address"});
  }
  if (!serves(LinkFamily::V6Only)) {
    findings.add("ipv4-not-served", {.where = draft.config.listen.front().where,
                                     .what = "no listener serves IPv4",
                                     .why = "clients in networks without IPv6 stay out",
                                     .write = "`proto udp` without `bind ipv6only`"});
  }
}

void check_address(const ListenConfig& listen, const IpAddress& address, const HostFacts& host,
                   FindingList& findings) {
  if (is_loopback_address(address)) {
    findings.add("local-loopback",
                 {.where = listen.where,
                  .what = fmt::format("{} is an address that this machine alone can reach",
                                      address.to_string()),
                  .why = listen.host.empty() ? "" : "the name stands in /etc/hosts so",
                  .write = "`local *`, or an address of an interface"});
    return;
  }
  for (const HostInterface& interface : host.interfaces) {
    for (const HostAddress& own : interface.addresses) {
      if (own.address != address) continue;
      if (!own.is_dynamic) return;
      findings.add("local-dynamic",
                   {.where = listen.where,
                    .what = fmt::format("{} came to {} with a lifetime", address.to_string(),
                                        interface.name),
                    .why = "when the provider gives another prefix, this listener serves nobody",
                    .write = "`local *`"});
      return;
    }
  }
  findings.add("local-missing",
               {.where = listen.where,
                .what = fmt::format("no interface of this machine has {}", address.to_string()),
                .why = "the server will not start",
                .write = "`local *`, or an address that `ip address` shows"});
}

void check_name(const ListenConfig& listen, const HostFacts& host, FindingList& findings) {
  const auto answer = host.names.find(listen.host);
  if (answer == host.names.end()) return;
  std::string texts;
  for (const IpAddress& address : answer->second.addresses) {
    const bool is_wanted = listen.family == LinkFamily::Both ||
                           (listen.family == LinkFamily::V4Only) == address.is_v4();
    if (!is_wanted) continue;
    texts += (texts.empty() ? "" : ", ") + address.to_string();
    check_address(listen, address, host, findings);
  }
  if (texts.empty()) {
    findings.add(
        "local-name-missing",
        {.where = listen.where,
         .what = fmt::format("{} has no address of the wanted families{}", listen.host,
                             answer->second.problem.empty() ? "" : ": " + answer->second.problem),
         .why = "the server will not start",
         .write = "`local *`, or a name that can be looked up"});
    return;
  }
  findings.add("local-name",
               {.where = listen.where,
                .what = fmt::format("{} is {}, and each of them is served", listen.host, texts),
                .why = "names are looked up once, at the start"});
}

void check_device(const ConfigDraft& draft, const HostFacts& host, FindingList& findings) {
  const std::string& device = draft.config.outside.device;
  if (device.empty() || host.interfaces.empty()) return;
  if (std::ranges::find(host.interfaces, device, &HostInterface::name) != host.interfaces.end()) {
    return;
  }
  findings.add("bind-dev-missing", {.where = draft.place_of("bind-dev"),
                                    .what = fmt::format("this machine has no interface {}", device),
                                    .why = "the server will not start",
                                    .write = "an interface that `ip link` shows"});
}

}  // namespace

void check_listeners(const Inspection& inspection, FindingList& findings) {
  const ConfigDraft& draft = inspection.survey.draft;
  say_what_is_served(draft.config, findings);
  check_families(draft, findings);
  if (inspection.host == nullptr) return;
  const HostFacts& host = *inspection.host;
  if (host.bind_v6_only) {
    findings.add(
        "bindv6only",
        {.where = "",
         .what = fmt::format("net.ipv6.bindv6only is {} and has no effect", *host.bind_v6_only),
         .why = "Ringway sets IPV6_V6ONLY on each socket as `proto` and `bind` say"});
  }
  check_device(draft, host, findings);
  for (const ListenConfig& listen : draft.config.listen) {
    if (!listen.host.empty()) {
      check_name(listen, host, findings);
    } else if (listen.address && !host.interfaces.empty()) {
      check_address(listen, *listen.address, host, findings);
    }
  }
}

}  // namespace ringway
