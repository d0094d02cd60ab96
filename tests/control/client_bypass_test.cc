#include "control/client_bypass.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr unsigned kTunnel = 9;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

/// A home: IPv4 and IPv6 by one router, IPv6 over its link-local address.
HostView home() {
  HostView host{.routes = {}, .tunnel = kTunnel, .name_servers = {}};
  for (const char* text :
       {"0.0.0.0/0 via 192.168.7.1 device 2 metric 100",
        "192.168.7.0/24 device 2 source 192.168.7.5", "::/0 via fe80::1 device 2 metric 1024",
        "2001:db8:7::/64 device 2 metric 256", "fe80::/64 device 2 metric 256",
        "172.17.0.0/16 device 5", "10.8.0.0/24 device 9"}) {
    host.routes.push_back(*HostRoute::parse(text));
  }
  return host;
}

ClientNetwork network(const std::vector<const char*>& inside) {
  ClientNetwork made;
  made.link.v4 = InterfaceAddress{ip("10.8.0.2"), 24};
  made.link.v6 = InterfaceAddress{ip("fd00:8::2"), 64};
  for (const char* prefix : inside) {
    made.link.routes.push_back({.destination = *Prefix::parse(prefix), .metric = std::nullopt});
  }
  return made;
}

std::string beside(const ClientNetwork& network, const char* server,
                   const HostView& host = home()) {
  std::string text;
  for (const HostRoute& route : ClientBypass::make(network, std::array{ip(server)}, host).beside) {
    text += route.to_string() + "; ";
  }
  return text;
}

TEST(ClientBypass, KeepsTheServerReachableByTheHostsOwnGateway) {
  EXPECT_EQ(beside(network({"0.0.0.0/1", "128.0.0.0/1"}), "203.0.113.1"),
            "203.0.113.1/32 via 192.168.7.1 device 2; ");
  EXPECT_EQ(beside(network({"::/1", "8000::/1"}), "2001:db8::1"),
            "2001:db8::1/128 via fe80::1 device 2; ");
  // A pushed network that holds the server is enough.
  EXPECT_EQ(beside(network({"203.0.113.0/24"}), "203.0.113.1"),
            "203.0.113.1/32 via 192.168.7.1 device 2; ");
}

TEST(ClientBypass, SetsNothingWhereTheTunnelTakesNothingOfTheServers) {
  EXPECT_EQ(beside(network({"10.0.0.0/8"}), "203.0.113.1"), "");
  EXPECT_EQ(beside(network({"::/1"}), "203.0.113.1"), "");
  // The LAN's own route is narrower than half of everything.
  EXPECT_EQ(beside(network({"0.0.0.0/1", "128.0.0.0/1"}), "192.168.7.66"), "");
}

TEST(ClientBypass, LeavesAServerOnTheLinkThere) {
  EXPECT_EQ(beside(network({"192.168.7.0/24"}), "192.168.7.66"),
            "192.168.7.66/32 device 2 source 192.168.7.5; ");
  EXPECT_EQ(beside(network({"2001:db8:7::/80"}), "2001:db8:7::66"),
            "2001:db8:7::66/128 device 2; ");
}

TEST(ClientBypass, TakesTheNarrowestAndThenTheCheapestWay) {
  HostView host = home();
  host.routes.push_back(*HostRoute::parse("0.0.0.0/0 via 10.99.0.1 device 3 metric 50"));
  EXPECT_EQ(beside(network({"0.0.0.0/1"}), "100.64.0.1", host),
            "100.64.0.1/32 via 10.99.0.1 device 3; ");
  host.routes.push_back(*HostRoute::parse("100.64.0.0/10 via 10.98.0.1 device 4 metric 900"));
  EXPECT_EQ(beside(network({"100.64.0.0/12"}), "100.64.0.1", host),
            "100.64.0.1/32 via 10.98.0.1 device 4; ");
}

TEST(ClientBypass, DoesWithoutTheServersRouteWhenToldSoOrWhenThereIsNoWay) {
  ClientNetwork local = network({"0.0.0.0/1", "128.0.0.0/1"});
  local.no_server_route = true;
  EXPECT_EQ(beside(local, "203.0.113.1"), "");

  HostView offline = home();
  std::erase_if(offline.routes, [](const HostRoute& route) { return route.gateway.has_value(); });
  EXPECT_EQ(beside(network({"0.0.0.0/1"}), "100.64.0.1", offline), "");
}

TEST(ClientBypass, KeepsNameServersReachableThatAreNotTheHostItself) {
  ClientNetwork with_dns = network({"0.0.0.0/1", "128.0.0.0/1"});
  with_dns.bypass_dns = true;
  HostView host = home();
  host.name_servers = {ip("127.0.0.53"), ip("9.9.9.9"), ip("192.168.7.1"), ip("::1")};
  EXPECT_EQ(beside(with_dns, "203.0.113.1", host),
            "203.0.113.1/32 via 192.168.7.1 device 2; 9.9.9.9/32 via 192.168.7.1 device 2; ");
}

TEST(ClientBypass, MakesUnreachableButNotTheServer) {
  ClientNetwork blocked = network({});
  blocked.unreachable = {*Prefix::parse("::/1"), *Prefix::parse("8000::/1")};
  EXPECT_EQ(beside(blocked, "2001:db8::1"),
            "2001:db8::1/128 via fe80::1 device 2; ::/1 unreachable; 8000::/1 unreachable; ");
}

TEST(ClientBypass, LeadsTheLanIntoTheTunnelButForTheGateway) {
  ClientNetwork blocking = network({"0.0.0.0/1", "128.0.0.0/1"});
  blocking.block_local = true;
  const auto bypass = ClientBypass::make(blocking, std::array{ip("203.0.113.1")}, home());

  std::string inside;
  for (const LinkRoute& route : bypass.inside) {
    EXPECT_TRUE(route.must);
    inside += route.destination.to_string() + " ";
  }
  EXPECT_EQ(inside, "192.168.7.0/25 192.168.7.128/25 2001:db8:7::/65 2001:db8:7:0:8000::/65 ");
  EXPECT_EQ(
      beside(blocking, "203.0.113.1"),
      "192.168.7.1/32 device 2 source 192.168.7.5; 203.0.113.1/32 via 192.168.7.1 device 2; ");
  EXPECT_EQ(beside(blocking, "192.168.7.66"),
            "192.168.7.1/32 device 2 source 192.168.7.5; "
            "192.168.7.66/32 device 2 source 192.168.7.5; ");
}

TEST(ClientBypass, FindsTheWayOfRoutesThatNameTheirGateway) {
  ClientNetwork named = network({});
  named.beside = {
      {.destination = *Prefix::parse("10.1.0.0/16"), .gateway = std::nullopt, .metric = 7},
      {.destination = *Prefix::parse("10.2.0.0/16"), .gateway = ip("192.168.7.9"), .metric = {}},
      {.destination = *Prefix::parse("fd01::/64"), .gateway = std::nullopt, .metric = {}},
      {.destination = *Prefix::parse("10.3.0.0/16"), .gateway = ip("203.0.113.9"), .metric = {}}};
  const auto bypass = ClientBypass::make(named, std::array{ip("203.0.113.1")}, home());
  EXPECT_EQ(beside(named, "203.0.113.1"),
            "10.1.0.0/16 via 192.168.7.1 device 2 metric 7; "
            "10.2.0.0/16 via 192.168.7.9 device 2 source 192.168.7.5; "
            "fd01::/64 via fe80::1 device 2; ");
  ASSERT_EQ(bypass.notes.size(), 1u);
  EXPECT_NE(bypass.notes[0].find("203.0.113.9 is neither in the tunnel nor a neighbour"),
            std::string::npos);
}

TEST(ClientBypass, ReadsTheNameServersOfResolvConf) {
  const auto servers = name_servers_of(
      "# nameserver 1.1.1.1\nnameserver 9.9.9.9\nnameserver\tfe80::1%eth0 \nsearch nameserver\n"
      "nameserver nonsense\noptions edns0\nnameserver 2620:fe::fe");
  EXPECT_EQ(servers, (std::vector{ip("9.9.9.9"), ip("fe80::1"), ip("2620:fe::fe")}));
}

}  // namespace
}  // namespace ringway
