#include "control/config/network_lines.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ringway {
namespace {

using Place = RouteLine::Place;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

NetworkLines lines(const std::vector<std::string>& texts) {
  NetworkLines network;
  for (const std::string& text : texts) {
    const auto added = network.add(words_of(text));
    EXPECT_TRUE(added && *added) << text;
  }
  return network;
}

TEST(NetworkLines, ReadsRoutesWithTheirGatewayAndMetric) {
  const NetworkLines network =
      lines({"route 10.1.0.0 255.255.0.0", "route 10.2.0.1", "route 10.3.0.0 255.255.0.0 default 7",
             "route 10.4.0.0 255.255.0.0 net_gateway", "route 10.5.0.0 255.255.0.0 192.168.1.9 8",
             "route remote_host 255.255.255.255 net_gateway 1", "route-ipv6 fd01::/64",
             "route-ipv6 fd02::5/64 default 9", "route-ipv6 fd03::1 net_gateway"});

  ASSERT_EQ(network.routes.size(), 9u);
  EXPECT_EQ(network.routes[0].network.to_string(), "10.1.0.0/16");
  EXPECT_EQ(network.routes[0].gateway, Place::VpnGateway);
  EXPECT_EQ(network.routes[1].network.to_string(), "10.2.0.1/32");
  EXPECT_EQ(network.routes[2].metric, 7u);
  EXPECT_EQ(network.routes[3].gateway, Place::NetGateway);
  EXPECT_EQ(network.routes[4].gateway, Place::Address);
  EXPECT_EQ(network.routes[4].gateway_address.to_string(), "192.168.1.9");
  EXPECT_EQ(network.routes[4].metric, 8u);
  EXPECT_EQ(network.routes[5].destination, Place::RemoteHost);
  EXPECT_EQ(network.routes[6].network.to_string(), "fd01::/64");
  EXPECT_EQ(network.routes[7].network.to_string(), "fd02::/64");
  EXPECT_EQ(network.routes[7].metric, 9u);
  EXPECT_EQ(network.routes[8].network.to_string(), "fd03::1/128");
}

TEST(NetworkLines, ReadsARouteToAHost) {
  const NetworkLines network = lines({"route files.example.org",
                                      "route web1 255.255.255.255 "
                                      "net_gateway 5"});
  EXPECT_EQ(network.routes[0].destination, Place::Name);
  EXPECT_EQ(network.routes[0].host, "files.example.org");
  EXPECT_EQ(network.routes[1].host, "web1");
  EXPECT_EQ(network.routes[1].gateway, Place::NetGateway);
  EXPECT_EQ(network.routes[1].metric, 5u);
}

TEST(NetworkLines, ReadsTheFlagsOfRedirectGateway) {
  const NetworkLines network = lines({"redirect-gateway def1 ipv6 !ipv4 autolocal bypass-dhcp"});
  EXPECT_TRUE(network.redirect.all_traffic);
  EXPECT_TRUE(network.redirect.ipv6);
  EXPECT_FALSE(network.redirect.ipv4);
  EXPECT_FALSE(network.redirect.local);

  const NetworkLines other = lines({"redirect-private local bypass-dns block-local"});
  EXPECT_TRUE(other.redirect.is_given);
  EXPECT_FALSE(other.redirect.all_traffic);
  EXPECT_TRUE(other.redirect.local);
  EXPECT_TRUE(other.redirect.bypass_dns);
  EXPECT_TRUE(other.redirect.block_local);
}

TEST(NetworkLines, LetsWhatIsPushedWinAndJoinsLists) {
  NetworkLines own =
      lines({"ifconfig 10.0.0.2 255.255.255.0", "topology subnet", "route 10.1.0.0 255.255.0.0",
             "redirect-gateway def1", "route-metric 5", "route-gateway 10.0.0.1"});
  own.merge(lines({"ifconfig 10.8.0.6 10.8.0.5", "topology net30", "route 10.2.0.0 255.255.0.0",
                   "redirect-gateway ipv6", "block-ipv6", "ifconfig-ipv6 fd00::2/112 fd00::1"}));

  EXPECT_EQ(own.ifconfig->address.to_string(), "10.8.0.6");
  EXPECT_EQ(own.topology, "net30");
  EXPECT_EQ(own.routes.size(), 2u);
  EXPECT_TRUE(own.redirect.all_traffic && own.redirect.ipv4 && own.redirect.ipv6);
  EXPECT_EQ(own.route_metric, 5u);
  EXPECT_EQ(own.route_gateway->to_string(), "10.0.0.1");
  EXPECT_TRUE(own.block_ipv6);
  EXPECT_EQ(own.ifconfig_ipv6->length, 112);
  EXPECT_EQ(own.ifconfig_ipv6->peer->to_string(), "fd00::1");

  own.merge({});
  EXPECT_EQ(own.ifconfig->address.to_string(), "10.8.0.6");
  EXPECT_TRUE(own.block_ipv6);
}

TEST(NetworkLines, KnowsWhatIsNoneOfItsOptions) {
  EXPECT_EQ(NetworkLines().add(words_of("ping 10")), false);
  EXPECT_EQ(NetworkLines().add(words_of("route-gateway dhcp")), false);
}

TEST(NetworkLines, RefusesNonsense) {
  for (const char* text : {"route",
                           "route 10.0.0.256",
                           "route files.example.300",
                           "route bad/name",
                           "route files.example 255.255.255.0",
                           "route 10.0.0.1 255.0.0.0",
                           "route 10.0.0.0 255.0.255.0",
                           "route 10.0.0.0 255.0.0.0 elsewhere",
                           "route 10.0.0.0 255.0.0.0 default x",
                           "route remote_host 255.0.0.0",
                           "route 10.0.0.0 255.0.0.0 default 1 2",
                           "route-ipv6",
                           "route-ipv6 10.0.0.0/8",
                           "route-ipv6 fd00::/129",
                           "redirect-gateway def2",
                           "redirect-private ipv7",
                           "ifconfig 10.8.0.2",
                           "ifconfig fd00::1 fd00::2",
                           "ifconfig-ipv6 10.8.0.2/24",
                           "ifconfig-ipv6 fd00::1/200",
                           "topology star",
                           "route-metric x",
                           "route-metric",
                           "route-gateway x",
                           "route-gateway fd00::1",
                           "route-ipv6-gateway 10.8.0.1"}) {
    EXPECT_FALSE(NetworkLines().add(words_of(text))) << text;
  }
}

TEST(NetworkLines, BoundsTheNumberOfRoutes) {
  NetworkLines network;
  for (std::size_t i = 0; i < NetworkLines::kRoutesMax; ++i) {
    const std::string host = std::to_string(i / 250) + "." + std::to_string(i % 250);
    EXPECT_TRUE(network.add(words_of("route 10.0." + host)));
  }
  EXPECT_FALSE(network.add(words_of("route 10.99.0.1")));
}

}  // namespace
}  // namespace ringway
