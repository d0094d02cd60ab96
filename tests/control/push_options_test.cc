#include "control/push_options.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Options = std::vector<std::string>;

ServerConfig config_of_both_families() {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.77.0.0/24");
  config.tunnel.network_v6 = Prefix::parse("fd77::/64");
  config.push = {"tun-ipv6", "route-gateway 10.77.0.1", "topology subnet", "ping 10"};
  return config;
}

Options pushed_to(const ServerConfig& config, const char* peer_info, Admission admission) {
  const PeerInfo info = PeerInfo::parse(peer_info);
  const Lease lease{
      .index = 0, .v4 = IpAddress::parse("10.77.0.2"), .v6 = IpAddress::parse("fd77::1000")};
  return assemble_push_reply(
             config, {.peer_info = info, .admission = admission, .lease = lease, .peer_id = {7}})
      .options;
}

TEST(PushOptions, SpeakToAnOpenVpn26ClientAsOpenVpnDoes) {
  EXPECT_EQ(pushed_to(config_of_both_families(),
                      "IV_PROTO=990\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\nIV_MTU=1600\n", {}),
            (Options{"tun-ipv6", "route-gateway 10.77.0.1", "topology subnet", "ping 10",
                     "ifconfig-ipv6 fd77::1000/64 fd77::1", "ifconfig 10.77.0.2 255.255.255.0",
                     "peer-id 7", "cipher AES-256-GCM", "protocol-flags cc-exit tls-ekm",
                     "tun-mtu 1500"}));
}

TEST(PushOptions, OmitWhatAnOpenVpn24ClientDoesNotKnow) {
  EXPECT_EQ(
      pushed_to(config_of_both_families(), "IV_PROTO=2\nIV_NCP=2\n", {.tls_key_export = false}),
      (Options{"tun-ipv6", "route-gateway 10.77.0.1", "topology subnet", "ping 10",
               "ifconfig-ipv6 fd77::1000/64 fd77::1", "ifconfig 10.77.0.2 255.255.255.0",
               "peer-id 7", "cipher AES-256-GCM"}));
}

TEST(PushOptions, NameKeyExportAloneWhereTheClientKnowsNoFlags) {
  const Options options = pushed_to(config_of_both_families(), "IV_PROTO=14\nIV_NCP=2\n", {});

  EXPECT_EQ(options.back(), "key-derivation tls-ekm");
}

TEST(PushOptions, PushNoCipherToAClientThatDoesNotNegotiate) {
  const Options options =
      pushed_to(config_of_both_families(), "IV_PROTO=2\n", {.tls_key_export = false});

  EXPECT_EQ(options.back(), "peer-id 7");
}

TEST(PushOptions, PushNoPeerIdToAClientOfDataV1) {
  ServerConfig config;

  EXPECT_EQ(pushed_to(config, "", {.tls_key_export = false}), Options{});
}

TEST(PushOptions, DescribeTheServerAsOpenVpnDoes) {
  ServerConfig config;
  EXPECT_EQ(server_options_string(config),
            "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
            "key-method 2,tls-server");

  config.wrap.mode = WrapMode::TlsAuth;
  EXPECT_EQ(server_options_string(config),
            "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
            "tls-auth,key-method 2,tls-server");
}

}  // namespace
}  // namespace ringway
