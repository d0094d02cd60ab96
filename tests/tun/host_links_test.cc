#include "tun/host_links.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tun/link_config.h"
#include "tun/tun_device.h"

namespace ringway {
namespace {

const HostLink* named(const std::vector<HostLink>& links, const std::string& name) {
  const auto found = std::ranges::find(links, name, &HostLink::name);
  return found == links.end() ? nullptr : &*found;
}

const LinkAddress* address_of(const HostLink& link, const char* text) {
  const auto found =
      std::ranges::find(link.addresses, *IpAddress::parse(text), &LinkAddress::address);
  return found == link.addresses.end() ? nullptr : &*found;
}

TEST(HostLinks, AreTheInterfacesWithTheirAddressesOfBothFamilies) {
  auto tun = TunDevice::open({.name = "watched0", .queue_count = 1});
  ASSERT_TRUE(tun) << tun.error().to_string();
  auto config = LinkConfig::open("watched0");
  ASSERT_TRUE(config);
  ASSERT_TRUE(config->apply({.v4 = InterfaceAddress{*IpAddress::parse("10.9.0.1"), 24},
                             .v6 = InterfaceAddress{*IpAddress::parse("2001:db8:9::1"), 64}}));

  const auto links = read_host_links();

  ASSERT_TRUE(links) << links.error().to_string();
  const HostLink* link = named(*links, "watched0");
  ASSERT_NE(link, nullptr);
  EXPECT_TRUE(link->is_tunnel);
  const LinkAddress* v4 = address_of(*link, "10.9.0.1");
  ASSERT_NE(v4, nullptr);
  EXPECT_EQ(v4->prefix_length, 24);
  EXPECT_FALSE(v4->is_dynamic);
  const LinkAddress* v6 = address_of(*link, "2001:db8:9::1");
  ASSERT_NE(v6, nullptr);
  EXPECT_EQ(v6->prefix_length, 64);
  EXPECT_FALSE(v6->is_temporary);
  EXPECT_NE(named(*links, "lo"), nullptr);
}

TEST(HostLinks, RingABellWhenOneChanges) {
  auto bell = HostLinkBell::open();
  ASSERT_TRUE(bell) << bell.error().to_string();
  EXPECT_FALSE(bell->silence());

  auto tun = TunDevice::open({.name = "watched1", .queue_count = 1});
  ASSERT_TRUE(tun) << tun.error().to_string();

  EXPECT_TRUE(bell->silence());
  auto config = LinkConfig::open("watched1");
  ASSERT_TRUE(config);
  bell->silence();
  ASSERT_TRUE(config->add_address({*IpAddress::parse("10.9.1.1"), 24}));
  EXPECT_TRUE(bell->silence());
}

TEST(HostLinks, AreNotReadFromAMessageThatIsTooShort) {
  std::vector<HostLink> links;
  RtnetlinkRequest link(RTM_NEWLINK, 0);
  take_link_message(*link.header, links);
  EXPECT_TRUE(links.empty());

  links = {{.name = "eth0", .index = 0}};
  RtnetlinkRequest address(RTM_NEWADDR, 0);
  take_link_message(*address.header, links);
  EXPECT_TRUE(links[0].addresses.empty());
}

}  // namespace
}  // namespace ringway
