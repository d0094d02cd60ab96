#include "control/server_setup.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

struct ListenerCase {
  LinkFamily family;
  const char* bound;
  bool without_ipv6;
  const char* line;
};

TEST(ServerSetup, SaysWhichFamiliesAreServedWhere) {
  const ListenerCase cases[] = {
      {LinkFamily::Both, "::", false,
       "udp: serving IPv4 on 0.0.0.0:1194 and IPv6 on [::]:1194 through one socket a worker "
       "(IPV6_V6ONLY=0, whatever net.ipv6.bindv6only says)"},
      {LinkFamily::Both, "192.0.2.1", false, "udp: serving IPv4 on 192.0.2.1:1194, no IPv6"},
      {LinkFamily::Both, "2001:db8::1", false,
       "udp: serving IPv6 on [2001:db8::1]:1194, no IPv4, because `local` names an IPv6 address"},
      {LinkFamily::Both, "0.0.0.0", true, "udp: serving IPv4 on 0.0.0.0:1194, no IPv6"},
      {LinkFamily::V4Only, "0.0.0.0", false, "udp: serving IPv4 on 0.0.0.0:1194, no IPv6"},
      {LinkFamily::V6Only, "::", false, "udp: serving IPv6 on [::]:1194, no IPv4 (IPV6_V6ONLY=1)"},
  };
  for (const ListenerCase& row : cases) {
    EXPECT_EQ(
        listener_line({.port = 1194, .family = row.family},
                      {.address = *IpAddress::parse(row.bound), .port = 1194}, row.without_ipv6),
        row.line);
  }
}

TEST(ServerSetup, TellsTheWorkersWhichAddressesAreTheServers) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.77.0.0/24");
  config.tunnel.network_v6 = Prefix::parse("fd77::/64");

  const DatapathSettings settings = datapath_settings(config);

  EXPECT_EQ(settings.own_v4, IpAddress::parse("10.77.0.1"));
  EXPECT_EQ(settings.own_v6, IpAddress::parse("fd77::1"));
  EXPECT_NE(settings.address_hash.key, datapath_settings(config).address_hash.key);
}

}  // namespace
}  // namespace ringway
