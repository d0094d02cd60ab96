#include "control/client_network.h"

#include <gtest/gtest.h>

#include <string>

namespace ringway {
namespace {

const Endpoint kServerV4{.address = *IpAddress::parse("192.0.2.1"), .port = 1194};
const Endpoint kServerV6{.address = *IpAddress::parse("2001:db8::1"), .port = 1194};

ClientConfig profile() {
  ClientConfig config;
  config.source = "me.ovpn";
  return config;
}

Result<ClientNetwork> made(std::vector<std::string> options, const ClientConfig& config = profile(),
                           const Endpoint& server = kServerV4) {
  return ClientNetwork::make({.options = std::move(options)}, config, server);
}

std::string routes_of(const ClientNetwork& network) {
  std::string text;
  for (const LinkRoute& route : network.link.routes) {
    text += route.destination.to_string();
    if (route.metric) text += " metric " + std::to_string(*route.metric);
    text += "; ";
  }
  return text;
}

std::string error_of(const Result<ClientNetwork>& network) {
  return network ? "(accepted)" : network.error().to_string();
}

/// What OpenVPN 2.6 and Ringway push.
const std::vector<std::string> kUsual = {"route 10.99.0.0 255.255.0.0",
                                         "tun-ipv6",
                                         "route-gateway 10.8.0.1",
                                         "topology subnet",
                                         "ping 10",
                                         "ping-restart 60",
                                         "ifconfig-ipv6 fd00:8::1000/64 fd00:8::1",
                                         "ifconfig 10.8.0.2 255.255.255.0",
                                         "peer-id 0",
                                         "cipher AES-256-GCM",
                                         "protocol-flags cc-exit tls-ekm",
                                         "tun-mtu 1500"};

TEST(ClientNetwork, IsWhatTheServerPushes) {
  const auto network = made(kUsual);

  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(network->link.v4->to_string(), "10.8.0.2/24");
  EXPECT_EQ(network->link.v6->to_string(), "fd00:8::1000/64");
  EXPECT_EQ(network->link.mtu, 1500u);
  EXPECT_EQ(routes_of(*network), "10.99.0.0/16; ");
  EXPECT_TRUE(network->notes.empty());
}

// The kernel refuses a route that is there already, and a client would give up.
TEST(ClientNetwork, LeavesOutRoutesThatAreThereAlready) {
  ClientConfig config = profile();
  config.tunnel.routes = {*Prefix::parse("10.99.0.0/16"), *Prefix::parse("10.98.0.0/16")};
  std::vector<std::string> options = kUsual;
  options.emplace_back("route 10.8.0.0 255.255.255.0");
  options.emplace_back("route-ipv6 fd00:8::/64");
  const auto network = made(options, config);

  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(routes_of(*network), "10.99.0.0/16; 10.98.0.0/16; ");

  const auto point_to_point = made({"route 10.8.0.1", "ifconfig 10.8.0.2 10.8.0.1"});
  ASSERT_TRUE(point_to_point) << error_of(point_to_point);
  EXPECT_EQ(routes_of(*point_to_point), "10.8.0.1/32; ");
}

TEST(ClientNetwork, LimitsTheMssToWhatFitsOutside) {
  EXPECT_EQ(made(kUsual)->mss.v4, 1492 - 24 - 28 - 40);
  EXPECT_EQ(made(kUsual, profile(), kServerV6)->mss.v6, 1492 - 24 - 48 - 60);

  std::vector<std::string> jumbo = kUsual;
  jumbo.back() = "tun-mtu 9000";
  EXPECT_EQ(made(jumbo)->link.mtu, 9000u);
  EXPECT_EQ(made(jumbo)->mss.v4, 9000 - 40);
}

TEST(ClientNetwork, TakesNet30AndPointToPointAddresses) {
  for (const char* topology : {"topology net30", "topology p2p", "ping 10"}) {
    const auto network = made({topology, "ifconfig 10.8.0.6 10.8.0.5"});
    ASSERT_TRUE(network) << error_of(network);
    EXPECT_EQ(network->link.v4->to_string(), "10.8.0.6/32");
    EXPECT_EQ(routes_of(*network), "10.8.0.5/32; ");
  }
}

TEST(ClientNetwork, GivesRoutesTheirMetric) {
  const auto network =
      made({"topology subnet", "ifconfig 10.8.0.2 255.255.255.0", "route-metric 50",
            "route 10.1.0.0 255.255.0.0", "route 10.2.0.0 255.255.0.0 vpn_gateway 7",
            "route 10.3.0.1", "route 10.1.0.0 255.255.0.0"});
  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(routes_of(*network),
            "10.1.0.0/16 metric 50; 10.2.0.0/16 metric 7; 10.3.0.1/32 metric 50; ");
}

TEST(ClientNetwork, LeavesAsideWhatItSays) {
  std::vector<std::string> options = {"topology subnet", "ifconfig 10.8.0.2 255.255.255.0",
                                      "route 10.1.0.0 255.255.0.0 net_gateway",
                                      "route-ipv6 fd99::/64", "dhcp-option DNS 10.8.0.1"};
  const auto network = made(options);
  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(routes_of(*network), "");
  EXPECT_EQ(network->notes.size(), 3u);
}

TEST(ClientNetwork, RefusesWhatWouldLeaveTrafficUnprotectedOrMisread) {
  for (const char* option :
       {"redirect-gateway def1", "block-ipv6", "route 0.0.0.0 0.0.0.0 vpn_gateway",
        "route-ipv6 ::/0", "compress lz4-v2", "comp-lzo no", "fragment 1300"}) {
    std::vector<std::string> options = kUsual;
    options.emplace_back(option);
    EXPECT_NE(error_of(made(options)).find(option), std::string::npos) << option;
  }
  std::vector<std::string> harmless = kUsual;
  harmless.emplace_back("compress stub-v2");
  EXPECT_TRUE(made(harmless));
}

TEST(ClientNetwork, RefusesNonsense) {
  for (const char* option :
       {"ifconfig 10.8.0.2", "ifconfig fd00::1 fd00::2", "ifconfig 10.8.0.2 255.0.255.0",
        "ifconfig-ipv6 10.8.0.2/24 10.8.0.1", "route", "route 10.0.0.1 255.0.0.0", "route nowhere",
        "route-ipv6 10.0.0.0/8", "tun-mtu 100", "tun-mtu 90000", "tun-mtu x"}) {
    EXPECT_NE(error_of(made({"topology subnet", option})).find("makes no sense"), std::string::npos)
        << option;
  }
  EXPECT_NE(error_of(made({"ping 10"})).find("no address"), std::string::npos);
}

TEST(ClientNetwork, BoundsTheNumberOfRoutes) {
  std::vector<std::string> options = kUsual;
  for (int i = 0; i < 1100; ++i) {
    options.push_back("route 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1");
  }
  EXPECT_NE(error_of(made(options)).find("more than 1024 routes"), std::string::npos);
}

TEST(ClientNetwork, HeedsTheProfilesFilters) {
  ClientConfig config = profile();
  config.pull_filters = {{PullFilter::Action::Accept, "route 10.99."},
                         {PullFilter::Action::Ignore, "route "},
                         {PullFilter::Action::Reject, "dhcp-option"}};
  const auto kept = filter_push(
      {.options = {"route 10.99.0.0 255.255.0.0", "route 10.1.0.0 255.255.0.0", "ping 10"}},
      config);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->options, (std::vector<std::string>{"route 10.99.0.0 255.255.0.0", "ping 10"}));
  EXPECT_FALSE(filter_push({.options = {"dhcp-option DNS 10.8.0.1"}}, config));
}

TEST(ClientNetwork, TakesNoRoutesUnderRouteNopull) {
  ClientConfig config = profile();
  config.route_nopull = true;
  config.tunnel.routes = {*Prefix::parse("10.77.0.0/16")};
  const auto kept = filter_push({.options = kUsual}, config);
  ASSERT_TRUE(kept);
  EXPECT_EQ(routes_of(*made(kept->options, config)), "10.77.0.0/16; ");
}

}  // namespace
}  // namespace ringway
