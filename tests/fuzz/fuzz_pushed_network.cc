#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "control/client_bypass.h"
#include "control/client_dns.h"
#include "control/client_network.h"

// What a server, perhaps a hostile one, makes of its client's network: addresses, routes, name
// servers. The input: a byte of the profile's own settings, and options, one a line; behind an
// empty line the host's resolv.conf. For any of it holds:
//   - routes are networks; the tunnel has no more of them than lines were taken;
//   - what a program is given is one of the few things that it is told, a word each, and no option;
//   - the host keeps its way to the server when all goes into the tunnel.

namespace ringway {
namespace {

ClientConfig profile(std::uint8_t bits) {
  ClientConfig config;
  config.route_nopull = (bits & 1) != 0;
  config.route_noexec = (bits & 2) != 0;
  config.allow_pull_fqdn = (bits & 4) != 0;
  config.ifconfig_noexec = (bits & 8) != 0;
  if ((bits & 16) != 0) config.network.topology = "subnet";
  if ((bits & 32) != 0) config.pull_filters = {{PullFilter::Action::Ignore, "redirect-"}};
  return config;
}

HostView host_view(std::string_view resolv_conf) {
  HostView host{.routes = {}, .tunnel = 9, .name_servers = name_servers_of(resolv_conf)};
  for (const char* text :
       {"0.0.0.0/0 via 192.168.1.1 device 2", "192.168.1.0/24 device 2",
        "::/0 via fe80::1 device 2", "2001:db8:1::/64 device 2", "10.0.0.0/8 unreachable"}) {
    host.routes.push_back(*HostRoute::parse(text));
  }
  return host;
}

bool is_network(const Prefix& prefix) { return Prefix::parse(prefix.to_string()) == prefix; }

bool is_one_word(std::string_view word) {
  return !word.empty() && word.front() != '-' &&
         std::ranges::all_of(word, [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_dns(const DnsLines& dns) {
  for (const DnsProgram program : {DnsProgram::Resolvectl, DnsProgram::Resolvconf}) {
    for (const Command& command : DnsPlan::make(program, "tun0", dns).commands) {
      RW_ASSERT(command.words.size() >= 3);
      for (const std::string& word : command.words) RW_ASSERT(word == "-a" || is_one_word(word));
      for (const char c : command.input) RW_ASSERT(c == '\n' || (c >= 0x20 && c < 0x7f));
    }
    const auto undo = dns_undo(dns_deed(program, "tun0"));
    RW_ASSERT(undo.has_value());
  }
}

void check_bypass(const ClientNetwork& network, const HostView& host) {
  const IpAddress servers[] = {*IpAddress::parse("203.0.113.7"), *IpAddress::parse("2001:db8::7")};
  const ClientBypass bypass = ClientBypass::make(network, servers, host);
  for (const HostRoute& route : bypass.beside) {
    RW_ASSERT(is_network(route.destination));
    RW_ASSERT(HostRoute::parse(route.to_string()) == route);
  }
  for (const LinkRoute& route : bypass.inside) RW_ASSERT(is_network(route.destination));
  if (network.no_server_route) return;
  for (const IpAddress& server : servers) {
    const HostRoute* way = find_route(host.routes, server, host.tunnel);
    const auto leads_there = [&](const auto& route) {
      return route.destination.contains(server) &&
             route.destination.length >= way->destination.length;
    };
    const bool is_taken = std::ranges::any_of(network.link.routes, leads_there);
    RW_ASSERT(!is_taken || std::ranges::any_of(bypass.beside, [&](const HostRoute& route) {
      return route.destination == Prefix::host(server);
    }));
  }
}

void check_network(const PushReply& reply, const ClientConfig& config, const HostView& host) {
  HostAddresses hosts;
  for (const std::string& name : route_hosts(reply, config)) {
    RW_ASSERT(is_one_word(name));
    hosts[name] = {*IpAddress::parse("198.51.100.9")};
  }
  const Endpoint remote{.address = *IpAddress::parse("203.0.113.7"), .port = 1194};
  const Result<ClientNetwork> network = ClientNetwork::make(reply, config, remote, hosts);
  if (!network) {
    RW_ASSERT(!network.error().what.empty() && !network.error().advice.empty());
    return;
  }
  RW_ASSERT(network->is_same_as(*network));
  RW_ASSERT(network->lines.routes.size() <= NetworkLines::kRoutesMax);
  if (config.route_noexec) RW_ASSERT(network->beside.empty());
  for (const LinkRoute& route : network->link.routes) RW_ASSERT(is_network(route.destination));
  for (const BesideRoute& route : network->beside) RW_ASSERT(is_network(route.destination));
  for (const Prefix& prefix : network->unreachable) RW_ASSERT(is_network(prefix));
  check_dns(network->dns);
  check_bypass(*network, host);
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size == 0) return 0;
  std::string_view rest = text_of(Bytes(data, size).subspan(1));
  PushReply reply;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) break;
    reply.options.emplace_back(line);
  }
  const ClientConfig config = profile(data[0]);
  const Result<PushReply> kept = filter_push(reply, config);
  if (!kept) return 0;
  check_network(*kept, config, host_view(rest));
  return 0;
}
