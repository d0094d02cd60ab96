#include "control/client_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>

#include "control/client_routes.h"
#include "dataplane/offloads.h"

namespace ringway {
namespace {

constexpr std::uint32_t kMtuMin = 576;
constexpr std::uint32_t kMtuMax = 9000;

using Words = std::vector<std::string>;

Words split(std::string_view option) {
  Words words;
  while (true) {
    option.remove_prefix(std::min(option.find_first_not_of(" \t"), option.size()));
    if (option.empty()) return words;
    const std::size_t end = std::min(option.find_first_of(" \t"), option.size());
    words.emplace_back(option.substr(0, end));
    option.remove_prefix(end);
  }
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// The core's, and those that say nothing to a machine that is no Windows.
constexpr std::array<std::string_view, 24> kSilent = {"cipher",
                                                      "protocol-flags",
                                                      "key-derivation",
                                                      "peer-id",
                                                      "ping",
                                                      "ping-restart",
                                                      "ping-exit",
                                                      "inactive",
                                                      "session-timeout",
                                                      "explicit-exit-notify",
                                                      "tun-ipv6",
                                                      "auth",
                                                      "register-dns",
                                                      "ip-win32",
                                                      "block-outside-dns",
                                                      "sndbuf",
                                                      "rcvbuf",
                                                      "socket-flags",
                                                      "persist-key",
                                                      "persist-tun",
                                                      "route-delay",
                                                      "setenv",
                                                      "echo",
                                                      "ecn"};

constexpr std::array<std::string_view, 12> kNetworkOptions = {
    "route",      "route-ipv6",         "route-metric",     "route-gateway",
    "dns",        "route-ipv6-gateway", "redirect-gateway", "redirect-private",
    "block-ipv6", "dhcp-option",        "ifconfig",         "topology"};

constexpr std::array<std::string_view, 9> kRouteOptions = {
    "route",      "route-ipv6",  "route-metric", "redirect-gateway", "redirect-private",
    "block-ipv6", "dhcp-option", "dns",          "route-delay"};

/// Reads one reply.
class Reader {
 public:
  Reader(const PushReply& reply, const ClientConfig& config, const HostAddresses& hosts)
      : reply_(reply), config_(config), hosts_(hosts) {}

  Result<ClientNetwork> read(const Endpoint& remote);

 private:
  Result<void> read_option(std::string_view option);
  Result<void> read_mtu(const Words& words);
  void resolve_routes(NetworkLines& lines);
  Result<void> set_addresses(const NetworkLines& lines);
  [[nodiscard]] std::unexpected<Error> misread(const Words& words, std::string_view why) const;

  const PushReply& reply_;
  const ClientConfig& config_;
  const HostAddresses& hosts_;
  ClientNetwork network_;
  NetworkLines pushed_;
};

std::string joined(const Words& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::unexpected<Error> Reader::misread(const Words& words, std::string_view why) const {
  return fail(fmt::format("the server pushes `{}`, which {}", joined(words), why), {},
              fmt::format("tell its operator, or write `pull-filter ignore \"{}\"`", words[0]));
}

Result<ClientNetwork> Reader::read(const Endpoint& remote) {
  network_.link.mtu = config_.tunnel.mtu;
  network_.link.tx_queue_length = config_.tunnel.txqueuelen;
  for (const std::string& option : reply_.options) {
    if (auto done = read_option(option); !done) return std::unexpected(done.error());
  }
  NetworkLines lines = config_.network;
  lines.merge(pushed_);
  if (auto done = set_addresses(lines); !done) return std::unexpected(done.error());
  resolve_routes(lines);
  if (!config_.route_noexec && !config_.ifconfig_noexec) {
    set_client_routes(network_, lines, remote.address);
  }
  if (config_.ifconfig_noexec) {
    network_.link.v4.reset();
    network_.link.v6.reset();
    network_.link.routes.clear();
  }
  if (!config_.dns_noexec) network_.dns = lines.dns;
  network_.lines = std::move(lines);
  return std::move(network_);
}

Result<void> Reader::read_option(std::string_view option) {
  const Words words = split(option);
  if (words.empty()) return {};
  const std::string_view name = words[0];
  if (name == "tun-mtu") return read_mtu(words);
  if (is_one_of(name, kSilent)) return {};
  if (is_one_of(name, kNetworkOptions) || name == "ifconfig-ipv6") {
    const auto added = pushed_.add(words);
    if (!added) return misread(words, added.error());
    if (*added) return {};
  }
  const bool is_stub_v2 = words.size() == 2 && words[1] == "stub-v2";
  if ((name == "compress" && !is_stub_v2) || name == "comp-lzo" || name == "fragment") {
    return fail(fmt::format("the server pushes `{}`: that is another packet format", joined(words)),
                {}, "ask its operator to delete it");
  }
  if (name != "compress") {
    network_.notes.push_back(fmt::format("pushed `{}` has no effect", joined(words)));
  }
  return {};
}

/// A route to a host becomes one to each of its addresses.
void Reader::resolve_routes(NetworkLines& lines) {
  std::vector<RouteLine> routes;
  for (RouteLine& line : lines.routes) {
    if (line.destination != RouteLine::Place::Name) {
      routes.push_back(std::move(line));
      continue;
    }
    const auto found = hosts_.find(line.host);
    if (found == hosts_.end() || found->second.empty()) {
      network_.notes.push_back(fmt::format(
          "`{}` is left aside: {}", line.text,
          found == hosts_.end() ? "a server may name hosts under `allow-pull-fqdn` alone"
                                : "the name has no IPv4 address"));
      continue;
    }
    for (const IpAddress& address : found->second) {
      RouteLine one = line;
      one.destination = RouteLine::Place::Address;
      one.network = Prefix::host(address);
      routes.push_back(std::move(one));
    }
  }
  lines.routes = std::move(routes);
}

/// `ifconfig ADDRESS NETMASK` in a subnet; `ifconfig ADDRESS PEER` otherwise: net30 and p2p are
/// both an address of its own and a route to the one at the other end.
Result<void> Reader::set_addresses(const NetworkLines& lines) {
  if (lines.ifconfig) {
    const auto& [address, other] = *lines.ifconfig;
    std::uint8_t length = 32;
    if (lines.topology == "subnet") {
      const IpAddress start = IpAddress::v4(address.v4_value() & other.v4_value());
      const auto subnet = Prefix::parse_v4(start.to_string(), other.to_string());
      if (!subnet) {
        return misread({"ifconfig", address.to_string(), other.to_string()}, "is no netmask");
      }
      length = subnet->length;
    } else {
      network_.link.routes.push_back({.destination = Prefix::host(other), .metric = std::nullopt});
    }
    network_.link.v4 = InterfaceAddress{.address = address, .prefix_length = length};
  }
  if (lines.ifconfig_ipv6 && !lines.block_ipv6) {
    network_.link.v6 = InterfaceAddress{.address = lines.ifconfig_ipv6->address,
                                        .prefix_length = lines.ifconfig_ipv6->length};
  }
  if (network_.link.v4 || network_.link.v6) return {};
  return fail("the server gave us no address", {},
              "ask its operator for `server NETWORK MASK`, or write `ifconfig ADDRESS NETMASK`");
}

Result<void> Reader::read_mtu(const Words& words) {
  std::uint32_t mtu = 0;
  const std::string& text = words.back();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mtu);
  if (words.size() != 2 || error != std::errc() || end != text.data() + text.size() ||
      mtu < kMtuMin || mtu > kMtuMax) {
    return misread(words, fmt::format("is not {} to {} bytes", kMtuMin, kMtuMax));
  }
  network_.link.mtu = mtu;
  return {};
}

}  // namespace

Result<ClientNetwork> ClientNetwork::make(const PushReply& reply, const ClientConfig& config,
                                          const Endpoint& remote, const HostAddresses& hosts) {
  return Reader(reply, config, hosts).read(remote);
}

std::vector<std::string> route_hosts(const PushReply& reply, const ClientConfig& config) {
  NetworkLines lines;
  lines.routes = config.network.routes;
  for (const std::string& option : reply.options) {
    if (!config.allow_pull_fqdn || !option.starts_with("route ")) continue;
    // What cannot be read is said when the network is made.
    if (const auto added = lines.add(split(option)); !added) continue;
  }
  std::vector<std::string> hosts;
  for (const RouteLine& line : lines.routes) {
    if (line.destination != RouteLine::Place::Name) continue;
    if (std::ranges::find(hosts, line.host) == hosts.end()) hosts.push_back(line.host);
  }
  return hosts;
}

bool ClientNetwork::is_same_as(const ClientNetwork& other) const {
  return link == other.link && beside == other.beside && unreachable == other.unreachable &&
         no_server_route == other.no_server_route && bypass_dns == other.bypass_dns &&
         block_local == other.block_local && dns == other.dns;
}

bool is_ignored(std::string_view option, const ClientConfig& config) {
  const auto filter = std::ranges::find_if(config.pull_filters, [&](const PullFilter& candidate) {
    return option.starts_with(candidate.prefix);
  });
  return filter != config.pull_filters.end() && filter->action != PullFilter::Action::Accept;
}

Result<PushReply> filter_push(const PushReply& reply, const ClientConfig& config) {
  PushReply kept;
  for (const std::string& option : reply.options) {
    const auto filter = std::ranges::find_if(config.pull_filters, [&](const PullFilter& candidate) {
      return option.starts_with(candidate.prefix);
    });
    if (filter != config.pull_filters.end()) {
      if (filter->action == PullFilter::Action::Ignore) continue;
      if (filter->action == PullFilter::Action::Reject) {
        return fail(fmt::format("the server pushes `{}`, which `pull-filter` rejects", option),
                    config.source, "delete the filter, or tell the server's operator");
      }
    }
    const std::string_view name = std::string_view(option).substr(0, option.find(' '));
    if (config.route_nopull && is_one_of(name, kRouteOptions)) continue;
    kept.options.push_back(option);
  }
  return kept;
}

}  // namespace ringway
