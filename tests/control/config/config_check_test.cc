#include "control/config/config_check.h"

#include <gtest/gtest.h>

#include "tests/control/config/config_support.h"

/// What is refused stands in samples/errors.txt; here is what only just passes, and what is noted.
namespace ringway {
namespace {

TEST(ConfigCheck, AcceptsTheSmallestAndTheLargestNetworks) {
  for (const char* lines : {"server 10.8.0.0 255.255.0.0", "server 10.8.0.0 255.255.255.248",
                            "server-ipv6 fd00::/64", "server-ipv6 fd00::/124"}) {
    const auto config =
        parse_server_config(std::string("ca a\ncert b\nkey c\n") + lines, "f", {}, no_such_file);
    EXPECT_TRUE(config) << lines << ": " << error_of(config);
  }
}

TEST(ConfigCheck, AcceptsADeviceOfAnyNameWhenItsTypeIsGiven) {
  const auto config = parse_server_config(
      "ca a\ncert b\nkey c\nserver 10.8.0.0 255.255.255.0\ndev tap-like\ndev-type tun", "f", {},
      no_such_file);

  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->tunnel.device, "tap-like");
}

TEST(ConfigCheck, AcceptsALocalAddressBesideTheTunnel) {
  EXPECT_TRUE(parse_with_required("local 10.8.1.1"));
  EXPECT_TRUE(parse_with_required("server-ipv6 fd00:8::/64\nlocal fd00:9::1"));
}

TEST(ConfigCheck, NeedsNoAuthorityWhereFingerprintsDecide) {
  const std::string lines = "cert b\nkey c\nserver 10.8.0.0 255.255.255.0\npeer-fingerprint " +
                            std::string(64, 'a') + "\n";
  const auto with = [&](const std::string& more) {
    return error_of(parse_server_config(lines + more, "f", {}, no_such_file));
  };
  EXPECT_EQ(with(""), "(accepted)");
  EXPECT_EQ(with("ca a\ncrl-verify crl.pem"), "(accepted)");
  EXPECT_EQ(with("crl-verify revoked dir"), "(accepted)");
  EXPECT_NE(with("crl-verify crl.pem").find("revokes nothing"), std::string::npos);
}

TEST(ConfigCheck, TakesADirectoryForTheAuthorities) {
  EXPECT_TRUE(parse_server_config("cert b\nkey c\nserver 10.8.0.0 255.255.255.0\ncapath /etc/cas",
                                  "f", {}, no_such_file));
}

TEST(ConfigCheck, NotesAPoolThatIsTooSmallForTheClientsAllowed) {
  EXPECT_TRUE(has_note(*parse_with_required("max-clients 254"), "the pool has 253 addresses"));
  EXPECT_FALSE(has_note(*parse_with_required("max-clients 253"), "the pool has"));
  EXPECT_FALSE(has_note(*parse_with_required(""), "the pool has"));
}

TEST(ConfigCheck, NotesRoutesAndNopoolThatLeadNowhereYet) {
  EXPECT_TRUE(has_note(*parse_with_required("route 192.168.4.0 255.255.255.0"), "`iroute`"));
  const auto config = parse_server_config(
      "server 10.8.0.0 255.255.255.0 nopool\nca a\ncert b\nkey c\n", "f", {}, no_such_file);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->tunnel.pool_v4);
  EXPECT_TRUE(has_note(*config, "f:1: without a pool clients get no IPv4 address"));
}

TEST(ConfigCheck, NotesKeysThatAgeFasterThanHandshakesMayLast) {
  EXPECT_TRUE(has_note(*parse_with_required("reneg-sec 30"), "more often than `hand-window`"));
  EXPECT_FALSE(has_note(*parse_with_required("reneg-sec 0"), "more often than `hand-window`"));
}

}  // namespace
}  // namespace ringway
