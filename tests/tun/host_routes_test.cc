#include "tun/host_routes.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <algorithm>
#include <optional>

#include "tun/link_config.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

/// A device that stands for the host's own network.
class HostRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto device = TunDevice::open({.name = "tun6"});
    ASSERT_TRUE(device) << device.error().to_string();
    device_.emplace(std::move(*device));
    auto link = LinkConfig::open("tun6");
    ASSERT_TRUE(link);
    LinkSettings settings{.v4 = InterfaceAddress{*IpAddress::parse("192.168.7.5"), 24},
                          .v6 = InterfaceAddress{*IpAddress::parse("fd07::5"), 64}};
    settings.routes = {{.destination = *Prefix::parse("10.1.0.0/16"), .metric = 7}};
    ASSERT_TRUE(link->apply(settings));
    index_ = link->index();
    auto routes = HostRoutes::open();
    ASSERT_TRUE(routes);
    routes_.emplace(std::move(*routes));
  }

  [[nodiscard]] HostRoute route(const std::string& text) const {
    return *HostRoute::parse(text + " device " + std::to_string(index_));
  }
  [[nodiscard]] bool is_listed(const char* destination) {
    const auto listed = routes_->list();
    return listed && std::ranges::any_of(*listed, [&](const HostRoute& found) {
             return found.destination.to_string() == destination && found.device == index_;
           });
  }
  /// Whether the kernel has it: the same again is refused.
  [[nodiscard]] bool is_set(const HostRoute& wanted) {
    const auto added = routes_->add(wanted);
    EXPECT_TRUE(added) << added.error().to_string();
    if (added && *added) {
      EXPECT_TRUE(routes_->remove(wanted));
    }
    return added && !*added;
  }

  std::optional<TunDevice> device_;
  std::optional<HostRoutes> routes_;
  unsigned index_ = 0;
};

TEST_F(HostRoutesTest, ListsWhatTheHostHas) {
  EXPECT_TRUE(is_listed("192.168.7.0/24"));
  EXPECT_TRUE(is_listed("fd07::/64"));
  const auto listed = routes_->list();
  ASSERT_TRUE(listed);
  const auto found = std::ranges::find(*listed, route("10.1.0.0/16 metric 7"));
  EXPECT_NE(found, listed->end());
}

TEST_F(HostRoutesTest, SetsAndTakesAwayRoutesOfBothFamilies) {
  for (const std::string& text :
       {std::string("203.0.113.1/32 via 192.168.7.1"), std::string("203.0.113.2/32"),
        std::string("2001:db8::1/128 via fe80::1"), std::string("2001:db8::2/128"),
        std::string("203.0.113.3/32 via 192.168.7.1 metric 5 mtu 1400"),
        std::string("203.0.113.4/32 via fe80::1"),
        std::string("203.0.113.5/32 via 198.18.0.1 onlink")}) {
    const HostRoute wanted = route(text);
    const auto added = routes_->add(wanted);
    ASSERT_TRUE(added) << added.error().to_string();
    EXPECT_TRUE(*added) << text;
    EXPECT_TRUE(is_set(wanted)) << text;
    EXPECT_TRUE(routes_->remove(wanted)) << text;
    EXPECT_FALSE(is_set(wanted)) << text;
  }
}

TEST_F(HostRoutesTest, MakesNetworksUnreachable) {
  for (const char* text : {"198.18.0.0/15 unreachable", "2001:db8:9::/48 unreachable"}) {
    const HostRoute wanted = *HostRoute::parse(text);
    EXPECT_EQ(routes_->add(wanted), true) << text;
    EXPECT_TRUE(is_set(wanted)) << text;
    EXPECT_TRUE(routes_->remove(wanted)) << text;
    EXPECT_FALSE(is_set(wanted)) << text;
  }
}

// Its own protocol number tells ours from the same route of somebody else.
TEST_F(HostRoutesTest, NeverTakesAwayWhatAnotherHasSet) {
  const HostRoute foreign = route("10.1.0.0/16 metric 7");
  EXPECT_EQ(routes_->add(foreign), false);
  EXPECT_TRUE(routes_->remove(foreign)) << "there is none of ours";
  EXPECT_TRUE(is_listed("10.1.0.0/16"));
}

TEST_F(HostRoutesTest, DoesNotListItsOwn) {
  const HostRoute own = route("203.0.113.1/32 via 192.168.7.1");
  ASSERT_EQ(routes_->add(own), true);
  EXPECT_FALSE(is_listed("203.0.113.1/32"));
  EXPECT_TRUE(routes_->remove(own));
}

TEST_F(HostRoutesTest, SaysWhatTheKernelRefuses) {
  const auto added = routes_->add(route("203.0.113.1/32 via 172.31.0.1"));
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().to_string().find("203.0.113.1/32"), std::string::npos);
}

/// Nothing but the header of a message, and what its lengths promise beyond its end.
TEST(HostRoutes, ReadsNoMessageThatMakesNoSense) {
  std::vector<HostRoute> routes;
  RtnetlinkRequest empty(RTM_NEWROUTE, 0);
  take_route_message(*empty.header, routes);
  EXPECT_TRUE(routes.empty());

  RtnetlinkRequest too_long(RTM_NEWROUTE, 0);
  auto& message = too_long.family_header<rtmsg>();
  message.rtm_family = AF_INET;
  message.rtm_type = RTN_UNICAST;
  message.rtm_table = RT_TABLE_MAIN;
  message.rtm_dst_len = 33;
  take_route_message(*too_long.header, routes);
  EXPECT_TRUE(routes.empty());
  message.rtm_dst_len = 32;
  take_route_message(*too_long.header, routes);
  EXPECT_EQ(routes.size(), 1u);
}

TEST(HostRoutes, TakesNoNextHopThatIsShorterThanItsOwnHeader) {
  RtnetlinkRequest request(RTM_NEWROUTE, 0);
  auto& message = request.family_header<rtmsg>();
  message.rtm_family = AF_INET;
  message.rtm_type = RTN_UNICAST;
  message.rtm_table = RT_TABLE_MAIN;
  const rtnexthop hop{.rtnh_len = 4, .rtnh_flags = 0, .rtnh_hops = 0, .rtnh_ifindex = 7};
  mnl_attr_put(request.header, RTA_MULTIPATH, sizeof hop, &hop);

  std::vector<HostRoute> routes;
  take_route_message(*request.header, routes);

  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0].device, 0u);
}

}  // namespace
}  // namespace ringway
