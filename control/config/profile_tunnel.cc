#include <fmt/format.h>

#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// The tunnel's inside in a client's profile: device, addresses, routes and name servers.
namespace ringway {
namespace {

Result<void> apply_dev_type(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) == "tap") {
    return refused_value(line, "is refused: Ringway routes IP and bridges no Ethernet",
                         "write `dev-type tun` here and at the server");
  }
  if (line.parameter(1) != "tun") return bad_value(line, 1, "tun");
  draft.device_type = line.parameter(1);
  return {};
}

/// What a server may push as well: control/config/network_lines.h reads both.
Result<void> apply_network(ConfigDraft& draft, const ConfigLine& line) {
  const auto added = draft.profile.network.add(line.words);
  if (!added) return refused_value(line, added.error(), "correct the line, or delete it");
  if (!*added) {
    draft.config.notes.push_back(
        fmt::format("{}: `{}` has no effect on this system", line.where, line_text(line)));
  }
  return {};
}

Result<void> apply_route_nopull(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.route_nopull = true;
  return {};
}

Result<void> apply_pull_filter(ConfigDraft& draft, const ConfigLine& line) {
  PullFilter filter{.prefix = line.parameter(2)};
  const std::string& action = line.parameter(1);
  if (action == "accept") {
    filter.action = PullFilter::Action::Accept;
  } else if (action == "ignore") {
    filter.action = PullFilter::Action::Ignore;
  } else if (action == "reject") {
    filter.action = PullFilter::Action::Reject;
  } else {
    return bad_value(line, 1, "accept, ignore or reject");
  }
  draft.profile.pull_filters.push_back(std::move(filter));
  return {};
}

Result<void> apply_persist_tun(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.persist_tun = true;
  return {};
}

Result<void> apply_route_noexec(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.route_noexec = true;
  return {};
}

Result<void> apply_allow_pull_fqdn(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.allow_pull_fqdn = true;
  return {};
}

Result<void> apply_ifconfig_noexec(ConfigDraft& draft, const ConfigLine&) {
  draft.profile.ifconfig_noexec = true;
  return {};
}

Result<void> apply_dns_updown(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) != "disable") {
    return refused_value(line, "is refused: Ringway sets name servers itself",
                         "delete the line, or write `dns-updown disable`");
  }
  draft.profile.dns_noexec = true;
  return {};
}

Result<void> apply_undo_directory(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1).empty()) return bad_value(line, 1, "a directory");
  draft.profile.undo_directory = line.parameter(1);
  return {};
}

constexpr std::string_view kMssFix =
    "Limits the segments of TCP connections in the tunnel so that packets fit: BYTES of UDP "
    "payload, with `mtu` of whole packets, with `fixed` of packets inside; 0 is off. By default, "
    "and without BYTES, what the path to the server was found to carry.";

}  // namespace

std::span<const OptionRow> profile_tunnel_options() {
  static const std::array kRows = {
      as_on_servers("dev", ""),
      works("dev-type", "tun", {1, 1}, apply_dev_type, "For a device whose name does not tell."),
      as_on_servers("dev-node", ""),
      works("topology", "subnet|net30|p2p", {1, 1}, apply_network,
            "What the second word of `ifconfig` means; what the server pushes wins; net30 by "
            "default, as in OpenVPN."),
      works("ifconfig", "ADDRESS NETMASK|PEER", {2, 2}, apply_network,
            "Our IPv4 address in the tunnel, where the server pushes none."),
      works("ifconfig-ipv6", "ADDRESS/BITS [PEER]", {1, 2}, apply_network, "The same for IPv6."),
      works("ifconfig-noexec", "", {0, 0}, apply_ifconfig_noexec,
            "The device gets no addresses, and so no routes."),
      as_on_servers("tun-mtu",
                    "MTU of the TUN device, 576 to 9000; what the server pushes wins; 1500 by "
                    "default."),
      as_on_servers("mssfix", kMssFix),
      as_on_servers("txqueuelen", ""),
      works("route", "NETWORK [NETMASK [GATEWAY [METRIC]]]", {1, 4}, apply_network,
            "A route, besides those that the server pushes. GATEWAY: `vpn_gateway`, into the "
            "tunnel, which is the default; `net_gateway`, beside it by the host's own gateway; or "
            "an address in one of them. NETWORK may be `remote_host`, the server itself, or the "
            "name of a host: a route to each of its addresses."),
      works("route-ipv6", "NETWORK/BITS [GATEWAY [METRIC]]", {1, 3}, apply_network,
            "The same for IPv6."),
      works("route-gateway", "ADDRESS", {1, 1}, apply_network,
            "Which address is in the tunnel when a `route` names it as gateway."),
      works("route-ipv6-gateway", "ADDRESS", {1, 1}, apply_network, "The same for IPv6."),
      works("allow-pull-fqdn", "", {0, 0}, apply_allow_pull_fqdn,
            "The server, too, may name hosts as destinations of `route`."),
      works("route-metric", "N", {1, 1}, apply_network,
            "Metric of the routes that name none; the kernel's by default."),
      works("route-nopull", "", {0, 0}, apply_route_nopull,
            "Pushed routes, `redirect-gateway` and DNS settings are left aside."),
      works("route-noexec", "", {0, 0}, apply_route_noexec,
            "No route is set, none into the tunnel and none beside it."),
      works(
          "redirect-gateway",
          "[def1] [ipv6] [!ipv4] [local] [autolocal] [bypass-dns] [block-local] ...", {0, 8},
          apply_network,
          "All IPv4 goes through the tunnel, with `ipv6` IPv6 too; the host's default routes stay, "
          "overridden by narrower ones."),
      works("redirect-private", "[local] [autolocal] [bypass-dns] [block-local] ...", {0, 8},
            apply_network, "The flags without the redirection."),
      works("block-ipv6", "", {0, 0}, apply_network,
            "IPv6 is unreachable while the tunnel stands, but for networks that the host has a "
            "narrower route to."),
      works("dhcp-option", "DNS|DNS6 ADDRESS | DOMAIN|DOMAIN-SEARCH NAME", {1, 2}, apply_network,
            "Name servers and search domains, set through systemd-resolved or resolvconf. Other "
            "kinds have no effect."),
      works(
          "dns",
          "search-domains NAME... | server N address|resolve-domains|dnssec|transport|sni VALUE...",
          {2, 16}, apply_network,
          "The same in the words of OpenVPN 2.6; they win over `dhcp-option`."),
      works("dns-updown", "disable", {1, 1}, apply_dns_updown,
            "Name servers are left as they are."),
      works("pull-filter", "accept|ignore|reject TEXT", {2, 2}, apply_pull_filter,
            "What becomes of pushed options that begin with TEXT; the first such line counts, and "
            "`reject` ends the connection."),
      works("persist-tun", "", {0, 0}, apply_persist_tun,
            "Keeps the device while the client connects anew, if the server pushes the same "
            "again."),
      works("undo-directory", "DIRECTORY", {1, 1}, apply_undo_directory,
            "Ringway's own: where the client writes what the next start must undo after a crash; "
            "/run/ringway by default."),
  };
  return kRows;
}

}  // namespace ringway
