#include "control/client_routes.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ringway {
namespace {

const IpAddress kServer = *IpAddress::parse("192.0.2.1");

/// Addresses of both families in a subnet.
ClientNetwork both() {
  ClientNetwork network;
  network.link.v4 = InterfaceAddress{*IpAddress::parse("10.8.0.2"), 24};
  network.link.v6 = InterfaceAddress{*IpAddress::parse("fd00:8::2"), 64};
  return network;
}

ClientNetwork v4_only() {
  ClientNetwork network = both();
  network.link.v6.reset();
  return network;
}

ClientNetwork with(ClientNetwork network, const std::vector<std::string>& texts) {
  NetworkLines lines;
  for (const std::string& text : texts) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    EXPECT_TRUE(lines.add(words).value_or(false)) << text;
  }
  set_client_routes(network, lines, kServer);
  return network;
}

std::string inside(const ClientNetwork& network) {
  std::string text;
  for (const LinkRoute& route : network.link.routes) {
    text += route.destination.to_string() + (route.must ? "! " : " ");
  }
  return text;
}

std::string beside(const ClientNetwork& network) {
  std::string text;
  for (const BesideRoute& route : network.beside) {
    text += route.destination.to_string() +
            (route.gateway ? " via " + route.gateway->to_string() : " via host") + "; ";
  }
  return text;
}

std::string unreachable(const ClientNetwork& network) {
  std::string text;
  for (const Prefix& prefix : network.unreachable) text += prefix.to_string() + " ";
  return text;
}

// The host's default routes stay; a default of 2000::/3, which some hosts have, is overridden too.
TEST(ClientRoutes, OverrideTheDefaultRouteByNarrowerOnes) {
  EXPECT_EQ(inside(with(both(), {"redirect-gateway"})), "0.0.0.0/1! 128.0.0.0/1! ");
  EXPECT_EQ(inside(with(both(), {"redirect-gateway def1"})), "0.0.0.0/1! 128.0.0.0/1! ");
  EXPECT_EQ(inside(with(both(), {"redirect-gateway ipv6 !ipv4"})),
            "::/1! 2000::/4! 3000::/4! 8000::/1! ");
  EXPECT_EQ(inside(with(both(), {"route 0.0.0.0 0.0.0.0", "route-ipv6 ::/0"})),
            "0.0.0.0/1! 128.0.0.0/1! ::/1! 2000::/4! 3000::/4! 8000::/1! ");
  EXPECT_EQ(inside(with(both(), {"redirect-private def1 ipv6"})), "");
}

TEST(ClientRoutes, MakeAFamilyUnreachableThatTheTunnelCannotCarry) {
  const ClientNetwork network = with(v4_only(), {"redirect-gateway ipv6"});
  EXPECT_EQ(inside(network), "0.0.0.0/1! 128.0.0.0/1! ");
  EXPECT_EQ(unreachable(network), "::/1 2000::/4 3000::/4 8000::/1 ");
  ASSERT_EQ(network.notes.size(), 1u);
  EXPECT_NE(network.notes[0].find("the tunnel has no IPv6 address"), std::string::npos);
}

TEST(ClientRoutes, BlockIpv6WhateverLeadsItInside) {
  const ClientNetwork network =
      with(v4_only(), {"block-ipv6", "redirect-gateway ipv6", "route-ipv6 fd01::/64"});
  EXPECT_EQ(inside(network), "0.0.0.0/1! 128.0.0.0/1! ");
  EXPECT_EQ(unreachable(network), "::/1 2000::/4 3000::/4 8000::/1 ");
}

TEST(ClientRoutes, KnowTheWordsForGateways) {
  const ClientNetwork network = with(
      both(), {"route-gateway 10.8.0.1", "route 10.1.0.0 255.255.0.0 vpn_gateway",
               "route 10.2.0.0 255.255.0.0 net_gateway", "route 10.3.0.0 255.255.0.0 remote_host",
               "route vpn_gateway", "route remote_host 255.255.255.255 net_gateway"});
  EXPECT_EQ(inside(network), "10.1.0.0/16 10.8.0.1/32 ");
  EXPECT_EQ(beside(network),
            "10.2.0.0/16 via host; 10.3.0.0/16 via 192.0.2.1; 192.0.2.1/32 via host; ");
}

TEST(ClientRoutes, TellGatewaysInTheTunnelFromThoseBesideIt) {
  const ClientNetwork network =
      with(both(), {"route 10.1.0.0 255.255.0.0 10.8.0.77", "route 10.2.0.0 255.255.0.0 172.16.0.1",
                    "route-ipv6 fd01::/64 fd00:8::9", "route-ipv6 fd02::/64 fd99::1"});
  EXPECT_EQ(inside(network), "10.1.0.0/16 fd01::/64 ");
  EXPECT_EQ(beside(network), "10.2.0.0/16 via 172.16.0.1; fd02::/64 via fd99::1; ");
}

TEST(ClientRoutes, LeaveAsideWhatLeadsNowhere) {
  const ClientNetwork network =
      with(v4_only(), {"route vpn_gateway", "route net_gateway", "route-ipv6 fd01::/64",
                       "route remote_host 255.255.255.255 vpn_gateway"});
  EXPECT_EQ(inside(network), "");
  EXPECT_EQ(beside(network), "");
  EXPECT_EQ(network.notes.size(), 4u);
}

TEST(ClientRoutes, GiveEachRouteItsMetric) {
  const ClientNetwork network = with(
      both(), {"route 10.1.0.0 255.255.0.0", "route 10.2.0.0 255.255.0.0 default 7",
               "route-metric 50", "route 10.3.0.0 255.255.0.0 net_gateway", "redirect-gateway"});
  EXPECT_EQ(network.link.routes[0].metric, 50u);
  EXPECT_EQ(network.link.routes[1].metric, 7u);
  EXPECT_EQ(network.beside[0].metric, 50u);
  // Prefixes decide there, not metrics.
  EXPECT_FALSE(network.link.routes[2].metric);
}

TEST(ClientRoutes, HandOnTheFlagsThatConcernTheHost) {
  const ClientNetwork network = with(both(), {"redirect-private local bypass-dns block-local"});
  EXPECT_TRUE(network.no_server_route && network.bypass_dns && network.block_local);
}

}  // namespace
}  // namespace ringway
