#include "control/client_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "control/session_terms.h"
#include "dataplane/offloads.h"

namespace ringway {
namespace {

/// As for the profile's own routes.
constexpr std::size_t kRoutesMax = 1024;
constexpr std::uint32_t kMtuMin = 576;
constexpr std::uint32_t kMtuMax = 9000;

using Words = std::vector<std::string_view>;

Words split(std::string_view option) {
  Words words;
  while (true) {
    option.remove_prefix(std::min(option.find_first_not_of(" \t"), option.size()));
    if (option.empty()) return words;
    const std::size_t end = std::min(option.find_first_of(" \t"), option.size());
    words.push_back(option.substr(0, end));
    option.remove_prefix(end);
  }
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// The core's, and those that say nothing to a machine that is no Windows.
constexpr std::array<std::string_view, 22> kSilent = {
    "cipher",       "protocol-flags", "key-derivation",       "peer-id",     "ping",
    "ping-restart", "ping-exit",      "explicit-exit-notify", "tun-ipv6",    "topology",
    "auth",         "register-dns",   "block-outside-dns",    "ip-win32",    "sndbuf",
    "rcvbuf",       "socket-flags",   "persist-key",          "persist-tun", "echo",
    "route-delay",  "setenv"};

constexpr std::array<std::string_view, 3> kAllTraffic = {"redirect-gateway", "redirect-private",
                                                         "block-ipv6"};

/// Reads one reply; a member function for each option.
class Reader {
 public:
  Reader(const PushReply& reply, const ClientConfig& config) : reply_(reply), config_(config) {}

  Result<ClientNetwork> read(const Endpoint& remote);

 private:
  Result<void> read_option(std::string_view option);
  Result<void> read_ifconfig(const Words& words);
  Result<void> read_ifconfig_ipv6(const Words& words);
  Result<void> read_route(const Words& words);
  Result<void> read_route_ipv6(const Words& words);
  Result<void> read_mtu(const Words& words);
  Result<void> add_route(const Words& words, std::optional<Prefix> destination,
                         std::size_t gateway_index);
  bool is_subnet() const;
  void leave_out_what_is_there();
  void set_mss(const Endpoint& remote);
  std::unexpected<Error> misread(const Words& words) const;
  std::unexpected<Error> refuse_all_traffic(const Words& words) const;

  const PushReply& reply_;
  const ClientConfig& config_;
  ClientNetwork network_;
  std::optional<std::uint32_t> metric_;
};

std::string joined(const Words& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::unexpected<Error> Reader::misread(const Words& words) const {
  return fail(fmt::format("the server pushes `{}`, which makes no sense", joined(words)), {},
              fmt::format("tell its operator, or write `pull-filter ignore \"{}\"`", words[0]));
}

std::unexpected<Error> Reader::refuse_all_traffic(const Words& words) const {
  const bool is_route = words[0].starts_with("route");
  return fail(fmt::format("the server pushes `{}`, which is not served yet: traffic that is meant "
                          "for the tunnel would leave beside it",
                          joined(words)),
              {},
              fmt::format("write `pull-filter ignore \"{}\"`, and `route` lines for the networks "
                          "that the tunnel should carry",
                          is_route ? joined({words[0], words[1]}) : words[0]));
}

Result<ClientNetwork> Reader::read(const Endpoint& remote) {
  network_.link.mtu = config_.tunnel.mtu;
  network_.link.tx_queue_length = config_.tunnel.txqueuelen;
  metric_ = config_.route_metric;
  if (const auto pushed = find_option(reply_, "route-metric")) metric_ = number(*pushed);
  for (const std::string& option : reply_.options) {
    if (auto done = read_option(option); !done) return std::unexpected(done.error());
  }
  if (!network_.link.v4 && !network_.link.v6) {
    return fail("the server gave us no address", {}, "ask its operator for `server NETWORK MASK`");
  }
  for (const Prefix& route : config_.tunnel.routes) {
    network_.link.routes.push_back({.destination = route, .metric = metric_});
  }
  // A route that would have no address to leave from is the server's other half, which is not ours.
  std::erase_if(network_.link.routes, [&](const LinkRoute& route) {
    const bool is_orphan =
        route.destination.address.is_v4() ? !network_.link.v4 : !network_.link.v6;
    if (is_orphan) {
      network_.notes.push_back(
          fmt::format("the route {} is left aside: we have no address of its "
                      "family",
                      route.destination.to_string()));
    }
    return is_orphan;
  });
  leave_out_what_is_there();
  set_mss(remote);
  return std::move(network_);
}

Result<void> Reader::read_option(std::string_view option) {
  const Words words = split(option);
  if (words.empty()) return {};
  const std::string_view name = words[0];
  if (name == "ifconfig") return read_ifconfig(words);
  if (name == "ifconfig-ipv6") return read_ifconfig_ipv6(words);
  if (name == "route") return read_route(words);
  if (name == "route-ipv6") return read_route_ipv6(words);
  if (name == "tun-mtu") return read_mtu(words);
  if (name == "route-gateway" || name == "route-metric" || is_one_of(name, kSilent)) return {};
  if (is_one_of(name, kAllTraffic)) return refuse_all_traffic(words);
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

bool Reader::is_subnet() const {
  return find_option(reply_, "topology").value_or("net30") == "subnet";
}

/// `ifconfig ADDRESS NETMASK` in a subnet; `ifconfig ADDRESS PEER` otherwise: net30 and p2p are
/// both an address of its own and a route to the one at the other end.
Result<void> Reader::read_ifconfig(const Words& words) {
  if (words.size() != 3) return misread(words);
  const auto address = IpAddress::parse(words[1]);
  const auto other = IpAddress::parse(words[2]);
  if (!address || !address->is_v4() || !other || !other->is_v4()) return misread(words);
  if (!is_subnet()) {
    network_.link.v4 = InterfaceAddress{.address = *address, .prefix_length = 32};
    network_.link.routes.insert(network_.link.routes.begin(),
                                {.destination = Prefix::host(*other), .metric = std::nullopt});
    return {};
  }
  const IpAddress start = IpAddress::v4(address->v4_value() & other->v4_value());
  const auto subnet = Prefix::parse_v4(start.to_string(), words[2]);
  if (!subnet) return misread(words);
  network_.link.v4 = InterfaceAddress{.address = *address, .prefix_length = subnet->length};
  return {};
}

/// `ifconfig-ipv6 ADDRESS/BITS PEER`.
Result<void> Reader::read_ifconfig_ipv6(const Words& words) {
  if (words.size() < 2) return misread(words);
  const std::size_t slash = std::min(words[1].find('/'), words[1].size());
  const auto address = IpAddress::parse(words[1].substr(0, slash));
  const auto network = Prefix::parse(words[1], true);
  if (!address || address->is_v4() || !network) return misread(words);
  network_.link.v6 = InterfaceAddress{.address = *address, .prefix_length = network->length};
  return {};
}

Result<void> Reader::read_route(const Words& words) {
  if (words.size() < 2) return misread(words);
  const bool has_mask = words.size() >= 3 && words[2] != "default";
  return add_route(words, Prefix::parse_v4(words[1], has_mask ? words[2] : "255.255.255.255"), 3);
}

Result<void> Reader::read_route_ipv6(const Words& words) {
  if (words.size() < 2) return misread(words);
  const std::string text(words[1]);
  const auto destination =
      Prefix::parse(text.find('/') == std::string::npos ? text + "/128" : text, true);
  if (destination && destination->address.is_v4()) return misread(words);
  return add_route(words, destination, 2);
}

/// What follows the destination: gateway and metric. All gateways inside are the device.
Result<void> Reader::add_route(const Words& words, std::optional<Prefix> destination,
                               std::size_t gateway_index) {
  if (!destination) return misread(words);
  if (words.size() > gateway_index && words[gateway_index] == "net_gateway") {
    network_.notes.push_back(
        fmt::format("pushed `{}` is left aside: it leads beside the tunnel", joined(words)));
    return {};
  }
  // The host has a default route as a rule, which would stay in its place.
  if (destination->length == 0) return refuse_all_traffic(words);
  if (network_.link.routes.size() >= kRoutesMax) {
    return fail(fmt::format("the server pushes more than {} routes", kRoutesMax), {},
                "write `route-nopull`, and `route` lines for those that are wanted");
  }
  std::optional<std::uint32_t> metric = metric_;
  if (words.size() > gateway_index + 1) metric = number(words[gateway_index + 1]);
  const LinkRoute route{.destination = *destination, .metric = metric};
  const auto same = [&](const LinkRoute& other) { return other.destination == route.destination; };
  if (std::ranges::none_of(network_.link.routes, same)) network_.link.routes.push_back(route);
  return {};
}

/// The kernel refuses a route that is there already: one for the tunnel's own network, which comes
/// with the address, and one that was named twice, as by `ifconfig` and `route`, or here and there.
void Reader::leave_out_what_is_there() {
  std::vector<Prefix> there;
  for (const auto& own : {network_.link.v4, network_.link.v6}) {
    const auto subnet = own ? Prefix::parse(own->to_string(), true) : std::nullopt;
    if (subnet) there.push_back(*subnet);
  }
  std::erase_if(network_.link.routes, [&](const LinkRoute& route) {
    if (std::ranges::find(there, route.destination) != there.end()) return true;
    there.push_back(route.destination);
    return false;
  });
}

Result<void> Reader::read_mtu(const Words& words) {
  const auto mtu = words.size() == 2 ? number(words[1]) : std::nullopt;
  if (!mtu || *mtu < kMtuMin || *mtu > kMtuMax) return misread(words);
  network_.link.mtu = *mtu;
  return {};
}

void Reader::set_mss(const Endpoint& remote) {
  TunnelConfig::MssFix mssfix = config_.tunnel.mssfix;
  if (!config_.mssfix_given && network_.link.mtu != 1500) {
    mssfix = {.value = static_cast<std::uint16_t>(network_.link.mtu),
              .mode = TunnelConfig::MssFix::Mode::Fixed};
  }
  network_.mss = mss_limits(mssfix, remote, /*data_v2=*/true);
}

constexpr std::array<std::string_view, 6> kRouteOptions = {
    "route", "route-ipv6", "route-metric", "redirect-gateway", "redirect-private", "dhcp-option"};

}  // namespace

Result<ClientNetwork> ClientNetwork::make(const PushReply& reply, const ClientConfig& config,
                                          const Endpoint& remote) {
  return Reader(reply, config).read(remote);
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
