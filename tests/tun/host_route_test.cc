#include "tun/host_route.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringway {
namespace {

TEST(HostRoute, ReadsWhatItWrites) {
  for (const char* text :
       {"0.0.0.0/0 via 192.168.7.1 device 2 metric 100", "192.168.7.0/24 device 2",
        "2001:db8::1/128 via fe80::1 device 2 metric 1024", "::/1 unreachable",
        "10.0.0.0/8 via fe80::1 onlink device 3 source 10.1.1.1 metric 0 mtu 1400"}) {
    const auto route = HostRoute::parse(text);
    ASSERT_TRUE(route) << text;
    EXPECT_EQ(route->to_string(), text);
  }
}

TEST(HostRoute, RefusesWhatIsNone) {
  for (const char* text : {"", "nonsense", "10.0.0.0/8 via", "10.0.0.0/8 via x",
                           "10.0.0.0/8 device x", "10.0.0.0/8 colour 3", "10.0.0.1/8"}) {
    EXPECT_FALSE(HostRoute::parse(text)) << text;
  }
}

TEST(HostRoute, IsFoundByTheLongestPrefixAndThenTheLeastMetric) {
  std::vector<HostRoute> routes;
  for (const char* text :
       {"0.0.0.0/0 via 10.0.0.1 device 1 metric 100", "0.0.0.0/0 via 10.0.0.2 device 2 metric 50",
        "10.1.0.0/16 device 3", "10.1.1.0/24 device 4", "::/0 via fe80::1 device 5"}) {
    routes.push_back(*HostRoute::parse(text));
  }
  const auto device_to = [&](const char* address, unsigned without) {
    const HostRoute* route = find_route(routes, *IpAddress::parse(address), without);
    return route == nullptr ? 0 : route->device;
  };
  EXPECT_EQ(device_to("10.1.1.1", 0), 4u);
  EXPECT_EQ(device_to("10.1.1.1", 4), 3u);
  EXPECT_EQ(device_to("192.0.2.1", 0), 2u);
  EXPECT_EQ(device_to("192.0.2.1", 2), 1u);
  EXPECT_EQ(device_to("2001:db8::1", 0), 5u);
  EXPECT_EQ(device_to("2001:db8::1", 5), 0u);
}

}  // namespace
}  // namespace ringway
