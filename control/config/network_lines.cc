#include "control/config/network_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace ringway {
namespace {

using Place = RouteLine::Place;
using Added = std::expected<bool, std::string>;
using Words = std::span<const std::string>;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_default(Words words, std::size_t index) {
  return words.size() <= index || words[index].empty() || words[index] == "default";
}

std::optional<Place> place_of(std::string_view word) {
  if (word == "vpn_gateway") return Place::VpnGateway;
  if (word == "net_gateway" || word == "net_gateway_ipv6") return Place::NetGateway;
  if (word == "remote_host") return Place::RemoteHost;
  return std::nullopt;
}

/// RFC 1123 2.1: letters, digits and hyphens between dots; a last label that is not all digits, so
/// that no mistyped address is looked up.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kHostNameSizeMax = 253;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || text.size() > kHostNameSizeMax || text.front() == '-') return false;
  const bool is_clean = std::ranges::all_of(text, [&](char c) {
    return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_';
  });
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return is_clean && std::ranges::any_of(last, is_letter);
}

/// Gateway and metric, which stand behind the destination.
Added read_way(RouteLine& route, Words words, std::size_t index) {
  if (!is_default(words, index)) {
    if (const auto place = place_of(words[index])) {
      route.gateway = *place;
    } else {
      const auto address = IpAddress::parse(words[index]);
      if (!address) {
        return std::unexpected(
            "does not name its gateway by an address, vpn_gateway, net_gateway or remote_host");
      }
      route.gateway = Place::Address;
      route.gateway_address = *address;
    }
  }
  if (!is_default(words, index + 1)) {
    route.metric = number(words[index + 1]);
    if (!route.metric) return std::unexpected("does not name its metric by a number");
  }
  return true;
}

Added read_route(RouteLine& route, Words words) {
  if (words.size() < 2 || words.size() > 5) {
    return std::unexpected("is not `route NETWORK [NETMASK [GATEWAY [METRIC]]]`");
  }
  const std::string mask = is_default(words, 2) ? "255.255.255.255" : words[2];
  if (const auto place = place_of(words[1])) {
    if (mask != "255.255.255.255") return std::unexpected("is a host, and has no netmask");
    route.destination = *place;
    route.network = Prefix::host(IpAddress::v4(0));
  } else if (is_host_name(words[1])) {
    if (mask != "255.255.255.255") return std::unexpected("is a host, and has no netmask");
    route.destination = Place::Name;
    route.host = words[1];
  } else {
    const auto network = Prefix::parse_v4(words[1], mask);
    if (!network) return std::unexpected("is not an IPv4 network and its netmask");
    route.network = *network;
  }
  return read_way(route, words, 3);
}

Added read_route_ipv6(RouteLine& route, Words words) {
  if (words.size() < 2 || words.size() > 4) {
    return std::unexpected("is not `route-ipv6 NETWORK/BITS [GATEWAY [METRIC]]`");
  }
  if (words[1] == "remote_host") {
    route.destination = Place::RemoteHost;
    route.network = Prefix::host(IpAddress());
    return read_way(route, words, 2);
  }
  const std::string& text = words[1];
  // Host bits are OpenVPN's to ignore, and so ours.
  const auto network =
      Prefix::parse(text.find('/') == std::string::npos ? text + "/128" : text, true);
  if (!network || network->address.is_v4()) {
    return std::unexpected("is not an IPv6 network with the length of its prefix");
  }
  route.network = *network;
  return read_way(route, words, 2);
}

Added read_redirect(RedirectLine& redirect, Words words) {
  redirect.is_given = true;
  if (words[0] == "redirect-gateway") redirect.all_traffic = true;
  for (const std::string& flag : words.subspan(1)) {
    if (flag == "local") {
      redirect.local = true;
    } else if (flag == "bypass-dns") {
      redirect.bypass_dns = true;
    } else if (flag == "block-local") {
      redirect.block_local = true;
    } else if (flag == "ipv6") {
      redirect.ipv6 = true;
    } else if (flag == "!ipv4") {
      redirect.ipv4 = false;
    } else if (flag != "def1" && flag != "autolocal" && flag != "bypass-dhcp") {
      return std::unexpected(
          fmt::format("knows no `{}`: the flags are def1, ipv6, !ipv4, local, autolocal, "
                      "bypass-dhcp, bypass-dns and block-local",
                      flag));
    }
  }
  return true;
}

Added read_ifconfig(NetworkLines& lines, Words words) {
  const auto address = words.size() == 3 ? IpAddress::parse(words[1]) : std::nullopt;
  const auto other = words.size() == 3 ? IpAddress::parse(words[2]) : std::nullopt;
  if (!address || !address->is_v4() || !other || !other->is_v4()) {
    return std::unexpected("is not an IPv4 address and a netmask or the address of the other end");
  }
  lines.ifconfig = {.address = *address, .netmask_or_peer = *other};
  return true;
}

Added read_ifconfig_ipv6(NetworkLines& lines, Words words) {
  constexpr std::string_view kUsage = "is not `ifconfig-ipv6 ADDRESS/BITS [PEER]`";
  if (words.size() < 2 || words.size() > 3) return std::unexpected(std::string(kUsage));
  std::string text = words[1];
  if (text.find('/') == std::string::npos) text += "/64";
  const auto address = IpAddress::parse(std::string_view(text).substr(0, text.find('/')));
  const auto network = Prefix::parse(text, true);
  if (!address || address->is_v4() || !network) return std::unexpected(std::string(kUsage));
  lines.ifconfig_ipv6 = {.address = *address, .length = network->length, .peer = std::nullopt};
  if (words.size() == 3) lines.ifconfig_ipv6->peer = IpAddress::parse(words[2]);
  return true;
}

Added read_gateway(std::optional<IpAddress>& gateway, Words words) {
  if (words.size() >= 2 && words[1] == "dhcp") return false;  // Of tap devices.
  gateway = words.size() == 2 ? IpAddress::parse(words[1]) : std::nullopt;
  if (!gateway || gateway->is_v4() != (words[0] == "route-gateway")) {
    return std::unexpected("does not name a gateway by its address");
  }
  return true;
}

Added add_route(NetworkLines& lines, Words words) {
  if (lines.routes.size() == NetworkLines::kRoutesMax) {
    return std::unexpected(
        fmt::format("is one too many: more than {} routes", NetworkLines::kRoutesMax));
  }
  RouteLine route{.text = fmt::format("{}", fmt::join(words, " "))};
  const Added read = words[0] == "route" ? read_route(route, words) : read_route_ipv6(route, words);
  if (read) lines.routes.push_back(std::move(route));
  return read;
}

}  // namespace

std::expected<bool, std::string> NetworkLines::add(std::span<const std::string> words) {
  const std::string& name = words[0];
  if (name == "route" || name == "route-ipv6") return add_route(*this, words);
  if (name == "route-gateway") return read_gateway(route_gateway, words);
  if (name == "route-ipv6-gateway") return read_gateway(route_ipv6_gateway, words);
  if (name == "redirect-gateway" || name == "redirect-private") {
    return read_redirect(redirect, words);
  }
  if (name == "ifconfig") return read_ifconfig(*this, words);
  if (name == "ifconfig-ipv6") return read_ifconfig_ipv6(*this, words);
  if (name == "dhcp-option" || name == "dns") return dns.add(words);
  if (name == "block-ipv6") {
    block_ipv6 = true;
    return true;
  }
  if (name == "topology") {
    if (words.size() != 2 || (words[1] != "subnet" && words[1] != "net30" && words[1] != "p2p")) {
      return std::unexpected("is not subnet, net30 or p2p");
    }
    topology = words[1];
    return true;
  }
  if (name == "route-metric") {
    route_metric = words.size() == 2 ? number(words[1]) : std::nullopt;
    if (!route_metric) return std::unexpected("is not a number");
    return true;
  }
  return false;
}

void NetworkLines::merge(const NetworkLines& pushed) {
  if (pushed.ifconfig) ifconfig = pushed.ifconfig;
  if (pushed.ifconfig_ipv6) ifconfig_ipv6 = pushed.ifconfig_ipv6;
  if (!pushed.topology.empty()) topology = pushed.topology;
  routes.insert(routes.end(), pushed.routes.begin(), pushed.routes.end());
  if (pushed.route_gateway) route_gateway = pushed.route_gateway;
  if (pushed.route_ipv6_gateway) route_ipv6_gateway = pushed.route_ipv6_gateway;
  if (pushed.route_metric) route_metric = pushed.route_metric;
  block_ipv6 = block_ipv6 || pushed.block_ipv6;
  dns.merge(pushed.dns);
  if (!pushed.redirect.is_given) return;
  redirect.is_given = true;
  redirect.all_traffic = redirect.all_traffic || pushed.redirect.all_traffic;
  redirect.ipv4 = redirect.ipv4 && pushed.redirect.ipv4;
  redirect.ipv6 = redirect.ipv6 || pushed.redirect.ipv6;
  redirect.local = redirect.local || pushed.redirect.local;
  redirect.bypass_dns = redirect.bypass_dns || pushed.redirect.bypass_dns;
  redirect.block_local = redirect.block_local || pushed.redirect.block_local;
}

}  // namespace ringway
