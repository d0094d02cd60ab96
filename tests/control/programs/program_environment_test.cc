#include "control/programs/program_environment.h"

#include <gtest/gtest.h>

#include <algorithm>

/// That the names are OpenVPN's is compared with OpenVPN itself: tests/interop/program_test.sh.
namespace ringway {
namespace {

bool has(const std::vector<std::string>& entries, std::string_view entry) {
  return std::ranges::find(entries, entry) != entries.end();
}

TEST(ProgramEnvironment, KeepsTheLastValueOfAName) {
  ProgramEnvironment environment;
  environment.set("A", "1");
  environment.set("AB", "2");
  environment.set("A", "3");
  EXPECT_EQ(environment.take(), (std::vector<std::string>{"AB=2", "A=3"}));
}

// B16: what a client says has IV_ or UV_ in front, and no control characters.
TEST(ProgramEnvironment, TakesOnlyHarmlessNamesFromAClient) {
  PeerInfo info;
  info.set("IV_VER", "2.6\n; reboot");
  info.set("UV_ASSET", "$(id)`\x80");
  info.set("PATH", "/tmp");
  info.set("LD_PRELOAD", "/tmp/x.so");
  info.set("IV_A-B", "x");
  info.set("UV_()", "() { :; }");
  ProgramEnvironment environment;
  add_peer_info(environment, info);
  EXPECT_EQ(environment.take(),
            (std::vector<std::string>{"IV_VER=2.6_;_reboot", "UV_ASSET=__id)__"}));
}

TEST(ProgramEnvironment, IsBounded) {
  ProgramEnvironment environment;
  for (int i = 0; i < 100; ++i) environment.set("N" + std::to_string(i), std::string(1000, 'x'));
  std::size_t size = 0;
  for (const std::string& entry : environment.take()) size += entry.size() + 1;
  EXPECT_LE(size, ProgramEnvironment::kSizeMax);
}

TEST(ProgramEnvironment, SaysWhereAClientIs) {
  ClientFacts client;
  client.endpoint.remote = {.address = *IpAddress::parse("2001:db8::5"), .port = 9};
  ProgramEnvironment before;
  add_endpoint(before, client);
  EXPECT_EQ(before.take(),
            (std::vector<std::string>{"untrusted_ip6=2001:db8::5", "untrusted_port=9"}));

  client.endpoint.remote.address = *IpAddress::parse("192.0.2.5");
  client.connected_since = {10};
  ProgramEnvironment after;
  add_endpoint(after, client);
  const auto entries = after.take();
  EXPECT_TRUE(has(entries, "trusted_ip=192.0.2.5"));
  EXPECT_TRUE(has(entries, "trusted_port=9"));
}

TEST(ProgramEnvironment, SaysWhatAClientHas) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/24");
  config.tunnel.network_v6 = Prefix::parse("fd00:8::/64");
  ClientFacts client;
  client.common_name = "client1";
  client.lease.v4 = IpAddress::parse("10.8.0.2");
  client.lease.v6 = IpAddress::parse("fd00:8::1000");
  client.connected_since = {1'795'998'385};
  ProgramEnvironment environment;
  add_session(environment, config, client);
  const auto entries = environment.take();
  EXPECT_TRUE(has(entries, "ifconfig_pool_remote_ip=10.8.0.2"));
  EXPECT_TRUE(has(entries, "ifconfig_pool_netmask=255.255.255.0"));
  EXPECT_TRUE(has(entries, "ifconfig_pool_remote_ip6=fd00:8::1000"));
  EXPECT_TRUE(has(entries, "ifconfig_pool_local_ip6=fd00:8::1"));
  EXPECT_TRUE(has(entries, "time_unix=1795998385"));
}

TEST(ProgramEnvironment, SaysWhoLogsInAndWhoseSessionItIs) {
  ServerConfig config;
  config.programs.password = {.words = {"/bin/true"}, .where = "server.conf:1"};
  ClientFacts client;
  client.session_id = "AAAA";
  ProgramEnvironment environment;
  add_session(environment, config, client);
  const auto entries = environment.take();
  EXPECT_TRUE(has(entries, "username=")) << "who may log in without a name has an empty one";
  EXPECT_TRUE(has(entries, "session_id=AAAA"));
}

TEST(ProgramEnvironment, NumbersSubjectFieldsOfOneName) {
  PeerCertificate certificate;
  certificate.chain = {
      {.subject = "OU=Eng, OU=Ops, CN=a",
       .subject_fields = {{"OU", "Eng"}, {"OU", "Ops"}, {"CN", "a"}, {"OU", "Third"}}},
      {.subject = "OU=Root", .subject_fields = {{"OU", "Root"}}}};
  ProgramEnvironment environment;
  add_certificates(environment, certificate, 0);
  const auto entries = environment.take();
  for (const char* entry :
       {"X509_0_OU=Eng", "X509_0_OU_1=Ops", "X509_0_OU_2=Third", "X509_0_CN=a", "X509_1_OU=Root"}) {
    EXPECT_TRUE(has(entries, entry)) << entry;
  }
}

TEST(ProgramEnvironment, NamesTheHostsRoutes) {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/24");
  config.tunnel.network_v6 = Prefix::parse("fd00:8::/64");
  config.tunnel.routes = {*Prefix::parse("192.168.41.0/24"), *Prefix::parse("2001:db8:41::/64"),
                          *Prefix::parse("192.168.42.0/25")};
  ProgramEnvironment environment;
  add_tunnel(environment, config);
  const auto entries = environment.take();
  for (const char* entry :
       {"route_vpn_gateway=10.8.0.2", "route_network_1=192.168.41.0",
        "route_netmask_1=255.255.255.0", "route_gateway_1=10.8.0.2", "route_network_2=192.168.42.0",
        "route_netmask_2=255.255.255.128", "route_ipv6_network_1=2001:db8:41::/64",
        "route_ipv6_gateway_1=fd00:8::2"}) {
    EXPECT_TRUE(has(entries, entry)) << entry;
  }
}

}  // namespace
}  // namespace ringway
