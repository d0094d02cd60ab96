#include "control/session_terms.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(SessionTerms, CarryWhatIsConfiguredOfTheTunnel) {
  ServerConfig config;
  config.timers.ping = 10s;
  config.timers.ping_restart = 120s;
  config.tunnel.mtu = 1400;
  config.tunnel.mssfix = {.value = 1300, .mode = MssFix::Mode::Mtu};

  for (const bool data_v2 : {true, false}) {
    const SessionSettings terms = session_terms(
        config, false, PeerInfo::parse(data_v2 ? "IV_PROTO=2\n" : "IV_PROTO=0\n"), {});

    EXPECT_EQ(terms.ping_interval, 10s);
    EXPECT_EQ(terms.ping_restart, 120s);
    EXPECT_EQ(terms.tun_mtu, 1400);
    EXPECT_EQ(terms.path, PathKind::Searched);
    EXPECT_EQ(terms.mssfix, config.tunnel.mssfix);
    EXPECT_EQ(terms.data_v2, data_v2);
    EXPECT_NE(terms.path, PathKind::Stream);
  }
}

TEST(SessionTerms, AreTheClientsOwnWhereItHasSome) {
  ServerConfig config;
  config.timers.ping = 10s;
  config.timers.ping_restart = 120s;
  const ClientTerms own{.ping = 3s, .ping_restart = 0s};

  const SessionSettings terms = session_terms(config, false, PeerInfo(), own);

  EXPECT_EQ(terms.ping_interval, 3s);
  EXPECT_EQ(terms.ping_restart, 0s);
}

TEST(SessionTerms, GiveEachSessionItsRoutes) {
  ServerConfig config;
  config.clients_max = 100;

  EXPECT_EQ(inner_routes_max(config), 3200u);
}

TEST(SessionTerms, NameTheEndsOfTheTunnelInOneFamily) {
  TunnelConfig tunnel;
  const Lease both{.v4 = IpAddress::parse("10.8.0.2"), .v6 = IpAddress::parse("fd00:8::1000")};
  EXPECT_FALSE(tunnel_ends(tunnel, both).are_known());

  tunnel.network_v6 = Prefix::parse("fd00:8::/64");
  EXPECT_EQ(tunnel_ends(tunnel, both).ours.to_string(), "fd00:8::1");
  EXPECT_EQ(tunnel_ends(tunnel, both).theirs.to_string(), "fd00:8::1000");
  tunnel.network_v4 = Prefix::parse("10.8.0.0/24");
  EXPECT_EQ(tunnel_ends(tunnel, both).ours.to_string(), "10.8.0.1");
  EXPECT_EQ(tunnel_ends(tunnel, both).theirs.to_string(), "10.8.0.2");
  EXPECT_EQ(tunnel_ends(tunnel, {.v6 = both.v6}).ours.to_string(), "fd00:8::1");
  EXPECT_FALSE(tunnel_ends(tunnel, {}).are_known());
}

TEST(SessionTerms, AssumeThePathOfATcpConnectionAsOpenVpnDoes) {
  ServerConfig config;
  EXPECT_EQ(session_terms(config, true, PeerInfo(), {}).path, PathKind::Stream);
  EXPECT_EQ(session_terms(config, true, PeerInfo(), {}).mssfix,
            (MssFix{.value = 1492, .mode = MssFix::Mode::Mtu}));

  config.tunnel.mssfix = MssFix::off();
  EXPECT_EQ(session_terms(config, true, PeerInfo(), {}).mssfix, MssFix::off());
}

// RFC 6040 4.1: outside, packets are ECN-capable only for a peer that brings the marks back inside.
TEST(SessionTerms, MarkDatagramsOnlyForAPeerThatSaysThatItTakesMarks) {
  const struct {
    const char* peer_info;
    bool passtos;
    int mask;
  } table[] = {{"IV_VER=2.6.3\n", false, 0x00},
               {"IV_VER=2.6.3\n", true, 0xfc},
               {"IV_ECN=1\n", false, 0x03},
               {"IV_ECN=1\n", true, 0xff},
               {"IV_ECN=0\n", false, 0x00}};
  for (const auto& row : table) {
    ServerConfig config;
    config.tunnel.passtos = row.passtos;
    EXPECT_EQ(session_terms(config, false, PeerInfo::parse(row.peer_info), {}).outer_class_mask,
              row.mask)
        << row.peer_info << row.passtos;
  }
}

}  // namespace
}  // namespace ringway
