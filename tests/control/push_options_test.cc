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

Options pushed_to(const ServerConfig& config, const char* peer_info, Admission admission,
                  const ClientTerms& terms = {}) {
  const PeerInfo info = PeerInfo::parse(peer_info);
  const Lease lease{
      .index = 0, .v4 = IpAddress::parse("10.77.0.2"), .v6 = IpAddress::parse("fd77::1000")};
  return assemble_push_reply(config.tunnel, config.push,
                             {.peer_info = info,
                              .admission = admission,
                              .lease = lease,
                              .terms = terms,
                              .peer_id = {7}})
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

TEST(PushOptions, SpeakOfEcnToAClientThatAsksForIt) {
  const Options options = pushed_to(config_of_both_families(), "IV_PROTO=2\nIV_ECN=1\n", {});

  EXPECT_EQ(options.back(), "ecn");
}

TEST(PushOptions, NameKeyExportAloneWhereTheClientKnowsNoFlags) {
  const Options options = pushed_to(config_of_both_families(), "IV_PROTO=14\nIV_NCP=2\n", {});

  EXPECT_EQ(options.back(), "key-derivation tls-ekm");
}

TEST(PushOptions, NameDynamicTlsCryptWhereItWasChosen) {
  const Options flags =
      pushed_to(config_of_both_families(), "IV_PROTO=990\nIV_NCP=2\n", {.dynamic_tls_crypt = true});
  EXPECT_NE(std::ranges::find(flags, "protocol-flags cc-exit tls-ekm dyn-tls-crypt"), flags.end());
  const Options alone =
      pushed_to(config_of_both_families(), "IV_PROTO=526\nIV_NCP=2\n", {.dynamic_tls_crypt = true});
  EXPECT_NE(std::ranges::find(alone, "protocol-flags tls-ekm dyn-tls-crypt"), alone.end());
}

TEST(PushOptions, NameTheEpochFormatWhereItWasChosen) {
  const Options options = pushed_to(config_of_both_families(), "IV_PROTO=8094\nIV_NCP=2\n",
                                    {.dynamic_tls_crypt = true, .data_epochs = true});

  EXPECT_NE(std::ranges::find(options, "peer-id 7"), options.end());
  EXPECT_NE(std::ranges::find(options, "protocol-flags cc-exit tls-ekm dyn-tls-crypt aead-epoch"),
            options.end());
}

TEST(PushOptions, PushNoCipherToAClientThatDoesNotNegotiate) {
  const Options options =
      pushed_to(config_of_both_families(), "IV_PROTO=2\n", {.tls_key_export = false});

  EXPECT_EQ(options.back(), "peer-id 7");
}

// C07
TEST(PushOptions, TakeAClientOutOfItsCompressionOnce) {
  ServerConfig config;
  const Options expected = {"compress stub-v2"};

  EXPECT_EQ(pushed_to(config, "", {.tls_key_export = false, .ends_compression = true}), expected);
  config.push = expected;
  EXPECT_EQ(pushed_to(config, "", {.tls_key_export = false, .ends_compression = true}), expected);
}

TEST(PushOptions, PushNoPeerIdToAClientOfDataV1) {
  ServerConfig config;

  EXPECT_EQ(pushed_to(config, "", {.tls_key_export = false}), Options{});
}

constexpr PushEdit::Kind kAdd = PushEdit::Kind::Add;
constexpr PushEdit::Kind kRemove = PushEdit::Kind::Remove;
constexpr PushEdit::Kind kReset = PushEdit::Kind::Reset;

TEST(PushOptions, AreEditedForOneClientInTheOrderOfItsLines) {
  ServerConfig config = config_of_both_families();
  config.push = {"route 10.1.0.0 255.255.0.0", "route-ipv6 2001:db8::/32",
                 "dhcp-option DNS 9.9.9.9", "topology subnet"};
  const struct {
    std::vector<PushEdit> edits;
    Options expected;
  } kRows[] = {
      {{{kRemove, "route"}}, {"dhcp-option DNS 9.9.9.9", "topology subnet"}},
      {{{kRemove, "route-ipv6 2001:"}, {kRemove, "DNS"}},
       {"route 10.1.0.0 255.255.0.0", "dhcp-option DNS 9.9.9.9", "topology subnet"}},
      {{{kRemove, "dhcp-option DNS"}, {kAdd, "dhcp-option DNS 1.1.1.1"}},
       {"route 10.1.0.0 255.255.0.0", "route-ipv6 2001:db8::/32", "topology subnet",
        "dhcp-option DNS 1.1.1.1"}},
      {{{kAdd, "block-ipv6"}, {kReset, ""}, {kAdd, "ping 5"}}, {"ping 5", "topology subnet"}},
  };
  for (const auto& row : kRows) {
    Options expected = row.expected;
    const bool is_late = expected.back() == "topology subnet" && expected.size() == 2 &&
                         row.edits.back().text == "ping 5";
    const auto at = is_late ? expected.end() - 1 : expected.end();
    expected.insert(at, "ifconfig-ipv6 fd77::1000/64 fd77::1");
    expected.insert(expected.end(), {"ifconfig 10.77.0.2 255.255.255.0", "peer-id 7"});
    EXPECT_EQ(pushed_to(config, "IV_PROTO=2\n", {.tls_key_export = false}, {.push = row.edits}),
              expected);
  }
}

TEST(PushOptions, LeaveAddressesOutByTheirWholeName) {
  const Options none = pushed_to(config_of_both_families(), "", {.tls_key_export = false},
                                 {.push = {{kRemove, "ifconfig"}, {kRemove, "ifconfig-ipv6"}}});
  EXPECT_EQ(none.back(), "ping 10");
  const Options v6 = pushed_to(config_of_both_families(), "", {.tls_key_export = false},
                               {.push = {{kRemove, "ifconfig"}}});
  EXPECT_EQ(v6.back(), "ifconfig-ipv6 fd77::1000/64 fd77::1");
}

TEST(PushOptions, LeadNoClientToUsForWhatIsBehindIt) {
  ServerConfig config = config_of_both_families();
  config.push = {"route 192.168.4.0 255.255.255.0", "route 192.168.4.0 255.255.255.0 vpn_gateway 5",
                 "route 192.168.0.0 255.255.0.0", "route 192.168.4.9",
                 "route-ipv6 2001:db8:4::/64"};
  const ClientTerms terms{
      .routes = {{*Prefix::parse("192.168.4.0/24"), ""}, {*Prefix::parse("2001:db8:4::/64"), ""}}};

  const Options options = pushed_to(config, "", {.tls_key_export = false}, terms);

  EXPECT_EQ(Options(options.begin(), options.begin() + 2),
            (Options{"route 192.168.0.0 255.255.0.0", "route 192.168.4.9"}));
  EXPECT_TRUE(options[2].starts_with("ifconfig-ipv6"));
}

TEST(PushOptions, TellAClientOfItsFixedAddressesAsTheyAreWritten) {
  const ClientTerms terms{.v4 = FixedAddressV4{.address = *IpAddress::parse("10.77.0.2"),
                                               .netmask = IpAddress::parse("255.255.0.0"),
                                               .alias = IpAddress::parse("172.16.0.2")},
                          .v6 = FixedAddressV6{.address = *IpAddress::parse("fd77::1000"),
                                               .length = 112,
                                               .remote = IpAddress::parse("fd77::9")}};

  const Options options =
      pushed_to(config_of_both_families(), "", {.tls_key_export = false}, terms);

  EXPECT_EQ(options[4], "ifconfig-ipv6 fd77::1000/112 fd77::9");
  EXPECT_EQ(options[5], "ifconfig 172.16.0.2 255.255.0.0");
}

TEST(PushOptions, DescribeTheServerAsOpenVpnDoes) {
  ServerConfig config;
  EXPECT_EQ(server_options_string(config, false),
            "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
            "key-method 2,tls-server");

  config.wrap.mode = WrapMode::TlsAuth;
  EXPECT_EQ(server_options_string(config, false),
            "V4,dev-type tun,link-mtu 1541,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 128,"
            "tls-auth,key-method 2,tls-server");
}

TEST(PushOptions, CountTheLengthOfEachPacketOverTcp) {
  EXPECT_EQ(server_options_string(ServerConfig(), true),
            "V4,dev-type tun,link-mtu 1543,tun-mtu 1500,proto TCPv4_SERVER,auth SHA1,keysize 128,"
            "key-method 2,tls-server");
}

}  // namespace
}  // namespace ringway
