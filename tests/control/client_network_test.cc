#include "control/client_network.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace ringway {
namespace {

const Endpoint kServerV4{.address = *IpAddress::parse("192.0.2.1"), .port = 1194};

ClientConfig profile(const std::vector<std::string>& lines = {}) {
  ClientConfig config;
  config.source = "me.ovpn";
  for (const std::string& line : lines) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    EXPECT_TRUE(config.network.add(words).value_or(false)) << line;
  }
  return config;
}

Result<ClientNetwork> made(std::vector<std::string> options,
                           const ClientConfig& config = profile()) {
  return ClientNetwork::make({.options = std::move(options)}, config, kServerV4);
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
  ClientConfig config = profile({"route 10.99.0.0 255.255.0.0", "route 10.98.0.0 255.255.0.0"});
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

TEST(ClientNetwork, TakesThePushedMtu) {
  std::vector<std::string> jumbo = kUsual;
  jumbo.back() = "tun-mtu 9000";

  EXPECT_EQ(made(jumbo)->link.mtu, 9000u);
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

TEST(ClientNetwork, LeadsARouteToEachAddressOfItsHost) {
  const std::vector<std::string> options = {"topology subnet", "ifconfig 10.8.0.2 255.255.255.0",
                                            "route pushed.example"};
  ClientConfig config = profile({"route files.example 255.255.255.255 default 7",
                                 "route nobody.example", "route files.example"});
  const PushReply reply{.options = options};
  EXPECT_EQ(route_hosts(reply, config),
            (std::vector<std::string>{"files.example", "nobody.example"}));
  const HostAddresses hosts = {
      {"files.example", {*IpAddress::parse("10.1.0.1"), *IpAddress::parse("10.1.0.2")}},
      {"nobody.example", {}}};

  const auto network = ClientNetwork::make(reply, config, kServerV4, hosts);
  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(routes_of(*network), "10.1.0.1/32 metric 7; 10.1.0.2/32 metric 7; ");
  EXPECT_EQ(network->notes.size(), 2u) << "nobody.example, and what is pushed";

  config.allow_pull_fqdn = true;
  EXPECT_EQ(route_hosts(reply, config).size(), 3u);
}

TEST(ClientNetwork, SaysWhatItLeavesAside) {
  const auto network = made({"topology subnet", "ifconfig 10.8.0.2 255.255.255.0",
                             "route-ipv6 fd99::/64", "dhcp-option WINS 10.8.0.1", "shaper 1000"});
  ASSERT_TRUE(network) << error_of(network);
  EXPECT_EQ(routes_of(*network), "");
  EXPECT_EQ(network->notes.size(), 3u);
}

TEST(ClientNetwork, TakesNameServersUnlessTheyAreLeftAsTheyAre) {
  std::vector<std::string> options = kUsual;
  options.emplace_back("dhcp-option DNS 10.8.0.1");
  EXPECT_EQ(made(options)->dns.servers().size(), 1u);

  ClientConfig config = profile({"dhcp-option DNS 10.8.0.9"});
  EXPECT_EQ(made(options, config)->dns.servers()[0].addresses.size(), 2u);
  config.dns_noexec = true;
  EXPECT_TRUE(made(options, config)->dns.empty());
}

TEST(ClientNetwork, TakesTheProfilesAddressesWhereNoneArePushed) {
  const ClientConfig config =
      profile({"ifconfig 10.7.0.2 10.7.0.1", "ifconfig-ipv6 fd07::2/64 fd07::1"});
  const auto own = made({"ping 10"}, config);
  ASSERT_TRUE(own) << error_of(own);
  EXPECT_EQ(own->link.v4->to_string(), "10.7.0.2/32");
  EXPECT_EQ(routes_of(*own), "10.7.0.1/32; ");
  EXPECT_EQ(own->link.v6->to_string(), "fd07::2/64");
  EXPECT_EQ(made(kUsual, config)->link.v4->to_string(), "10.8.0.2/24");
}

TEST(ClientNetwork, SetsNoRoutesUnderRouteNoexecAndNothingUnderIfconfigNoexec) {
  ClientConfig config = profile({"redirect-gateway def1 ipv6"});
  config.route_noexec = true;
  EXPECT_EQ(routes_of(*made(kUsual, config)), "");
  EXPECT_TRUE(made(kUsual, config)->link.v4);

  config = profile({"redirect-gateway def1 ipv6"});
  config.ifconfig_noexec = true;
  EXPECT_EQ(routes_of(*made(kUsual, config)), "");
  EXPECT_FALSE(made(kUsual, config)->link.v4 || made(kUsual, config)->link.v6);
}

TEST(ClientNetwork, IsTheSameAsLongAsTheDeviceAndItsSurroundingsAre) {
  const auto network = made(kUsual);
  EXPECT_TRUE(network->is_same_as(*made(kUsual)));
  for (const char* line : {"route 10.1.0.0 255.255.0.0", "route 10.1.0.1 default net_gateway",
                           "block-ipv6", "dhcp-option DNS 10.8.0.1", "redirect-private local",
                           "redirect-private bypass-dns", "redirect-private block-local"}) {
    EXPECT_FALSE(network->is_same_as(*made(kUsual, profile({line})))) << line;
  }
}

TEST(ClientNetwork, RefusesPacketsOfAnotherFormat) {
  for (const char* option : {"compress lz4-v2", "comp-lzo no", "fragment 1300"}) {
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
        "ifconfig-ipv6 10.8.0.2/24 10.8.0.1", "route", "redirect-gateway def2",
        "dhcp-option DNS nowhere", "tun-mtu 100", "tun-mtu 90000", "tun-mtu x"}) {
    EXPECT_NE(error_of(made({"topology subnet", option})).find("the server pushes `"),
              std::string::npos)
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
  ClientConfig config = profile({"route 10.77.0.0 255.255.0.0"});
  config.route_nopull = true;
  std::vector<std::string> options = kUsual;
  for (const char* option : {"redirect-gateway def1", "block-ipv6", "dns server 1 address 10.8.0.1",
                             "dhcp-option DNS 10.8.0.1", "route-ipv6 fd99::/64"}) {
    options.emplace_back(option);
  }
  const auto kept = filter_push({.options = options}, config);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->options.size(), kUsual.size() - 1);
  EXPECT_EQ(routes_of(*made(kept->options, config)), "10.77.0.0/16; ");
}

}  // namespace
}  // namespace ringway
