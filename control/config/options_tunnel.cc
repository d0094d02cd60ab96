#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "control/config/option_table.h"
#include "control/config/option_values.h"
#include "control/config/tunnel_addresses.h"

/// The inside: the TUN device, its networks, MTU and routes.
namespace ringway {
namespace {

/// IFNAMSIZ without its NUL.
constexpr std::size_t kDeviceNameMax = 15;
constexpr std::size_t kRoutesMax = 1024;
constexpr std::uint64_t kTunMtuMin = 576;
constexpr std::uint64_t kTunMtuMax = 9000;

Result<void> apply_mode(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) == "server") {
    draft.mode_server = true;
    return {};
  }
  if (line.parameter(1) != "p2p") return bad_value(line, 1, "server");
  return refused_value(line, "is refused: Ringway is a server for many clients",
                       "write `server NETWORK NETMASK` instead of `mode`");
}

Result<void> apply_dev(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& name = line.parameter(1);
  const bool is_plain =
      !name.empty() && name.size() <= kDeviceNameMax &&
      std::ranges::all_of(name,
                          [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                   (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                          }) &&
      name != "." && name != "..";
  if (!is_plain)
    return bad_value(line, 1, "tun, or a device name of at most 15 letters and digits");
  draft.config.tunnel.device = name;
  return {};
}

Result<void> apply_dev_type(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) == "tap") {
    return refused_value(line, "is refused: Ringway routes IP and bridges no Ethernet",
                         "write `dev-type tun` here and in the clients");
  }
  if (line.parameter(1) != "tun") return bad_value(line, 1, "tun");
  draft.device_type = line.parameter(1);
  return {};
}

Result<void> apply_dev_node(ConfigDraft&, const ConfigLine& line) {
  if (line.parameter(1) == "/dev/net/tun") return {};
  return refused_value(line, "is refused: Ringway opens /dev/net/tun", "delete the line");
}

Result<void> apply_server(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter_count() == 3 && line.parameter(3) != "nopool") {
    return bad_value(line, 3, "nopool or nothing");
  }
  const auto mask = IpAddress::parse(line.parameter(2));
  const auto network = Prefix::parse_v4(line.parameter(1), line.parameter(2));
  if (!network) {
    // The usual slip is the server's own address in place of the network's.
    const auto address = IpAddress::parse(line.parameter(1));
    if (address && mask && address->is_v4() && mask->is_v4()) {
      const IpAddress start = IpAddress::v4(address->v4_value() & mask->v4_value());
      if (Prefix::parse_v4(start.to_string(), line.parameter(2))) {
        return refused_value(
            line, "does not name the network by its first address",
            fmt::format("write `server {} {}`", start.to_string(), line.parameter(2)));
      }
    }
    return refused_value(line, "is not an IPv4 network and its netmask",
                         "write for example `server 10.8.0.0 255.255.255.0`");
  }
  draft.config.tunnel.network_v4 = *network;
  draft.config.tunnel.pool_v4 = line.parameter_count() < 3;
  return {};
}

Result<void> apply_server_ipv6(ConfigDraft& draft, const ConfigLine& line) {
  const auto network = Prefix::parse(line.parameter(1));
  if (!network || network->address.is_v4()) {
    const auto masked = Prefix::parse(line.parameter(1), true);
    if (masked && !masked->address.is_v4()) {
      return refused_value(line, "does not name the network by its first address",
                           fmt::format("write `server-ipv6 {}`", masked->to_string()));
    }
    return refused_value(line, "is not an IPv6 network with the length of its prefix",
                         "write for example `server-ipv6 fd00:8::/64`");
  }
  draft.config.tunnel.network_v6 = *network;
  return {};
}

/// The network that `mask` makes of an address, where it is a netmask.
std::optional<Prefix> network_of(const IpAddress& address, const IpAddress& mask) {
  if (!address.is_v4() || !mask.is_v4()) return std::nullopt;
  const IpAddress start = IpAddress::v4(address.v4_value() & mask.v4_value());
  return Prefix::parse_v4(start.to_string(), mask.to_string());
}

Result<void> apply_ifconfig(ConfigDraft& draft, const ConfigLine& line) {
  const auto address = IpAddress::parse(line.parameter(1));
  const auto mask = IpAddress::parse(line.parameter(2));
  if (!address || !address->is_v4()) return bad_value(line, 1, "an IPv4 address");
  const auto network = mask ? network_of(*address, *mask) : std::nullopt;
  if (!network) {
    return refused_value(line, "does not name its network by a netmask, as `topology subnet` wants",
                         fmt::format("write `ifconfig {} 255.255.255.0`", address->to_string()));
  }
  draft.ifconfig = {.address = *address, .network = *network};
  return {};
}

Result<void> apply_ifconfig_ipv6(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& text = line.parameter(1);
  const auto address = IpAddress::parse(text.substr(0, text.find('/')));
  const auto network = Prefix::parse(text, true);
  if (!address || !network || network->address.is_v4()) {
    return bad_value(line, 1, "an IPv6 address and the length of its prefix, as fd00:8::1/64");
  }
  draft.ifconfig_ipv6 = {.address = *address, .network = *network};
  return {};
}

Result<void> apply_ifconfig_pool(ConfigDraft& draft, const ConfigLine& line) {
  const auto first = IpAddress::parse(line.parameter(1));
  const auto last = IpAddress::parse(line.parameter(2));
  if (!first || !first->is_v4()) return bad_value(line, 1, "the first IPv4 address of the pool");
  if (!last || !last->is_v4()) return bad_value(line, 2, "the last IPv4 address of the pool");
  if (*last < *first) {
    return refused_value(
        line, "ends before it begins",
        fmt::format("write `ifconfig-pool {} {}`", last->to_string(), first->to_string()));
  }
  if (line.parameter_count() == 3) {
    const auto mask = IpAddress::parse(line.parameter(3));
    if (!mask || !network_of(*first, *mask)) return bad_value(line, 3, "a netmask, or nothing");
  }
  draft.ifconfig_pool = {.first = *first, .last = *last};
  return {};
}

Result<void> apply_ifconfig_ipv6_pool(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& text = line.parameter(1);
  const auto first = IpAddress::parse(text.substr(0, text.find('/')));
  const auto network = Prefix::parse(text, true);
  if (!first || !network || network->address.is_v4()) {
    return bad_value(line, 1, "an IPv6 address and the length of its prefix, as fd00:8::1000/64");
  }
  // A network's first address is a router's (RFC 4291 2.6.1).
  const IpAddress start = *first == network->address ? first->plus(1) : *first;
  const AddressRange range{.first = start, .last = last_address(*network)};
  if (range.last < range.first) return bad_value(line, 1, "a network of more than one address");
  draft.ifconfig_ipv6_pool = range;
  return {};
}

Result<void> apply_topology(ConfigDraft&, const ConfigLine& line) {
  const std::string& topology = line.parameter(1);
  if (topology == "subnet") return {};
  if (topology != "net30" && topology != "p2p") return bad_value(line, 1, "subnet");
  return refused_value(line, "is refused: every client since OpenVPN 2.1 takes a plain subnet",
                       "write `topology subnet`; clients learn it from the server");
}

Result<void> apply_tun_mtu(ConfigDraft& draft, const ConfigLine& line) {
  const auto mtu = number_at(line, 1, {kTunMtuMin, kTunMtuMax});
  if (!mtu) return std::unexpected(mtu.error());
  draft.config.tunnel.mtu = static_cast<std::uint16_t>(*mtu);
  return {};
}

Result<void> apply_mssfix(ConfigDraft& draft, const ConfigLine& line) {
  using Mode = MssFix::Mode;
  if (line.parameter_count() == 0) {
    draft.config.tunnel.mssfix = {};
    return {};
  }
  const auto value = number_at(line, 1, {0, 65535});
  if (!value) return std::unexpected(value.error());
  if (*value != 0 && *value < 256) return bad_value(line, 1, "0 (off) or 256 to 65535");
  MssFix mssfix{.value = static_cast<std::uint16_t>(*value), .mode = Mode::Payload};
  if (line.parameter_count() == 2) {
    if (line.parameter(2) != "mtu" && line.parameter(2) != "fixed") {
      return bad_value(line, 2, "mtu, fixed or nothing");
    }
    mssfix.mode = line.parameter(2) == "mtu" ? Mode::Mtu : Mode::Fixed;
  }
  draft.config.tunnel.mssfix = mssfix;
  return {};
}

Result<void> apply_txqueuelen(ConfigDraft& draft, const ConfigLine& line) {
  const auto length = number_at(line, 1, {0, 1'000'000});
  if (!length) return std::unexpected(length.error());
  draft.config.tunnel.txqueuelen = static_cast<std::uint32_t>(*length);
  return {};
}

/// Gateway and metric, which Ringway does not hand to the kernel: the route leads to the device.
Result<void> check_gateway(ConfigDraft& draft, const ConfigLine& line, std::size_t index) {
  if (line.parameter_count() < index) return {};
  const std::string& gateway = line.parameter(index);
  if (gateway != "vpn_gateway" && gateway != "default" && !IpAddress::parse(gateway)) {
    return refused_value(line, fmt::format("is refused: `{}` leads out of the tunnel", gateway),
                         "delete the line, and set that route with the system's own tools");
  }
  draft.config.notes.push_back(
      fmt::format("{}: `{}`: gateway and metric have no effect, the route leads into the tunnel",
                  line.where, line_text(line)));
  return {};
}

Result<void> add_route(ConfigDraft& draft, const ConfigLine& line, const Prefix& route) {
  if (route.length == 0) {
    return refused_value(line, "would lead the server's own traffic into the tunnel",
                         route.address.is_v4() ? "write `push \"redirect-gateway def1\"` to lead "
                                                 "the clients' traffic here"
                                               : "write `push \"redirect-gateway ipv6\"` to lead "
                                                 "the clients' traffic here");
  }
  if (draft.config.tunnel.routes.size() == kRoutesMax) {
    return refused_value(line, fmt::format("is one too many: {} are allowed", kRoutesMax),
                         "join neighbouring networks into one");
  }
  draft.config.tunnel.routes.push_back(route);
  return {};
}

Result<void> apply_route(ConfigDraft& draft, const ConfigLine& line) {
  const bool has_mask = line.parameter_count() >= 2 && line.parameter(2) != "default";
  const std::string mask = has_mask ? line.parameter(2) : "255.255.255.255";
  const auto route = Prefix::parse_v4(line.parameter(1), mask);
  if (!route) {
    return refused_value(line, "is not an IPv4 network and its netmask",
                         "write for example `route 192.168.4.0 255.255.255.0`");
  }
  if (auto checked = check_gateway(draft, line, 3); !checked) return checked;
  return add_route(draft, line, *route);
}

Result<void> apply_route_ipv6(ConfigDraft& draft, const ConfigLine& line) {
  const std::string& text = line.parameter(1);
  const auto route = Prefix::parse(text.find('/') == std::string::npos ? text + "/128" : text);
  if (!route || route->address.is_v4()) {
    return refused_value(line, "is not an IPv6 network with the length of its prefix",
                         "write for example `route-ipv6 2001:db8:4::/64`");
  }
  if (auto checked = check_gateway(draft, line, 2); !checked) return checked;
  return add_route(draft, line, *route);
}

constexpr std::string_view kNoEthernet = "is refused: Ringway routes IP and bridges no Ethernet";
constexpr std::string_view kServerLine =
    "write `server NETWORK NETMASK`, for example `server 10.8.0.0 255.255.255.0`";
constexpr std::string_view kMeantForClients =
    "would change the server's own host; it is meant for clients";

constexpr std::array kRows = {
    works("mode", "server", {1, 1}, apply_mode, "What Ringway always is; `server` implies it."),
    works("dev", "tun|tunN|NAME", {1, 1}, apply_dev,
          "The TUN device: `tun` lets the kernel number it. Another name needs `dev-type tun`. tap "
          "is refused: Ringway routes IP and bridges no Ethernet."),
    works("dev-type", "tun", {1, 1}, apply_dev_type, "For a device whose name does not tell."),
    works("dev-node", "/dev/net/tun", {1, 1}, apply_dev_node, "What holds without it."),
    works("server", "NETWORK NETMASK [nopool]", {2, 3}, apply_server,
          "IPv4 in the tunnel, /8 to /29: the server is the first address, clients get the "
          "others, or with `nopool` what is fixed for them alone. Pushes `route-gateway` and "
          "`topology subnet`."),
    works("server-ipv6", "NETWORK/BITS", {1, 1}, apply_server_ipv6,
          "IPv6 in the tunnel, /64 to /124: the server is the first address. Pushes `tun-ipv6`. "
          "Works with `server` or alone."),
    works("ifconfig", "ADDRESS NETMASK", {2, 2}, apply_ifconfig,
          "The server's own address and its network, in place of `server`. Pushes `topology "
          "subnet`, and `route-gateway` where no `push` names one."),
    works("ifconfig-ipv6", "ADDRESS/BITS [ADDRESS]", {1, 2}, apply_ifconfig_ipv6,
          "The same for IPv6, in place of `server-ipv6`. What stands behind it has no effect."),
    works("ifconfig-pool", "FIRST LAST [NETMASK]", {2, 3}, apply_ifconfig_pool,
          "The addresses that clients get as they come, with `ifconfig` or `server ... nopool`; "
          "both ends are included. Clients get the network's netmask."),
    works("ifconfig-ipv6-pool", "ADDRESS/BITS", {1, 1}, apply_ifconfig_ipv6_pool,
          "The same for IPv6, with `ifconfig-ipv6`: from ADDRESS, or the one behind a network's "
          "first, to the last with that prefix."),
    works("topology", "subnet", {1, 1}, apply_topology,
          "What holds without it; net30 and p2p are refused."),
    works("tun-mtu", "BYTES", {1, 1}, apply_tun_mtu,
          "MTU of the TUN device, 576 to 9000; 1500 by default, and at least 1280 with IPv6."),
    works("mssfix", "[BYTES [mtu|fixed]]", {0, 2}, apply_mssfix,
          "Limits the segments of TCP connections in the tunnel so that packets fit: BYTES of UDP "
          "payload, with `mtu` of whole packets, with `fixed` of packets inside; 0 is off. By "
          "default, and without BYTES, what each client's path was found to carry."),
    works("txqueuelen", "PACKETS", {1, 1}, apply_txqueuelen,
          "Queue of the TUN device; 0 leaves the kernel's."),
    works("route", "NETWORK [NETMASK [GATEWAY [METRIC]]]", {1, 4}, apply_route,
          "A route of the server's host into the tunnel. Gateway and metric have no effect."),
    works("route-ipv6", "NETWORK/BITS [GATEWAY [METRIC]]", {1, 3}, apply_route_ipv6,
          "The same for IPv6."),
    no_effect("tun-ipv6", "is on whenever `server-ipv6` is given"),
    no_effect("ifconfig-nowarn", "silences a warning that Ringway does not have"),
    no_effect("route-gateway", "is not needed: the host's routes name the device"),
    no_effect("route-metric", "is left to the kernel"),
    no_effect("route-delay", "is not needed: the device is up before routes are set"),
    no_effect("tun-mtu-max", "limits what a server may push to a client; this is the server"),
    no_effect("disable-dco", "is what holds: packets are handled in user space"),
    no_effect("mktun", "is not needed: the server creates its device"),
    refused("ifconfig-pool-linear", "belongs to topologies that are not served",
            "write `topology subnet`"),
    refused("ifconfig-noexec", "is refused: Ringway configures the device that it creates",
            "delete the line"),
    refused("route-noexec", "is refused: without its routes the server leads nothing to clients",
            "delete this line, and the `route` lines that are not wanted"),
    refused("route-ipv6-gateway", "is not served: the host's routes name the device",
            "delete the line"),
    refused("server-bridge", kNoEthernet, kServerLine),
    refused("lladdr", kNoEthernet, "delete the line"),
    refused("vlan-tagging", kNoEthernet, "delete the line"),
    refused("vlan-accept", kNoEthernet, "delete the line"),
    refused("vlan-pvid", kNoEthernet, "delete the line"),
    refused("link-mtu", "is not served: its meaning depends on the cipher of each client",
            "write `tun-mtu BYTES`, and `mssfix BYTES mtu` for the path outside"),
    refused("udp-mtu", "is the old name of `link-mtu`, which is not served",
            "write `tun-mtu BYTES`, and `mssfix BYTES mtu` for the path outside"),
    refused("tun-mtu-extra", "is for tap devices", "delete the line"),
    refused("fragment",
            "is refused: it changes the format of every packet, and `mssfix` does as much for TCP",
            "write `mssfix BYTES mtu`, and delete `fragment` here and in the clients"),
    refused("max-packet-size", "is not served: control packets never exceed 1250 bytes",
            "write `mssfix BYTES mtu` for the data packets"),
    refused("rmtun", "is a command of its own", "write `ip link delete NAME` in the shell"),
    refused("block-ipv6", kMeantForClients, "write `push \"block-ipv6\"`"),
    refused("redirect-gateway", kMeantForClients, "write `push \"redirect-gateway def1\"`"),
    refused("redirect-private", kMeantForClients, "write `push \"redirect-private\"`"),
    refused("client-nat", kMeantForClients, "use nftables on the server's host"),
};

}  // namespace

std::span<const OptionRow> tunnel_options() { return kRows; }

}  // namespace ringway
