#include "control/session_terms.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Mode = TunnelConfig::MssFix::Mode;

Endpoint endpoint(const char* address) {
  return {.address = *IpAddress::parse(address), .port = 1};
}

struct MssCase {
  std::uint16_t value;
  Mode mode;
  const char* address;
  bool data_v2;
  std::uint16_t limit_v4;
  std::uint16_t limit_v6;
};

TEST(SessionTerms, LimitTheMssToWhatFitsTheClientsOuterFamily) {
  const MssCase cases[] = {
      {1492, Mode::Mtu, "192.0.2.1", true, 1400, 1380},         // logged by OpenVPN 2.6.14
      {1492, Mode::Mtu, "2001:db8::1", true, 1380, 1360},       // logged by OpenVPN 2.6.14
      {1492, Mode::Mtu, "::ffff:192.0.2.1", true, 1400, 1380},  // v4-mapped is IPv4 on the wire
      {1492, Mode::Mtu, "192.0.2.1", false, 1403, 1383},        // DATA_V1: three bytes less
      {1460, Mode::Mtu, "192.0.2.1", true, 1368, 1348},         // DS-Lite: 1408 less 40 and 60
      {1452, Mode::Mtu, "192.0.2.1", true, 1360, 1340},         // DS-Lite on PPPoE
      {1280, Mode::Mtu, "192.0.2.1", true, 1188, 1168},         // DS-Lite as OpenWrt sets it up
      {1492, Mode::Payload, "2001:db8::1", true, 1428, 1408},   // the family does not count
      {1450, Mode::Payload, "192.0.2.1", true, 1386, 1366},
      {1400, Mode::Fixed, "2001:db8::1", true, 1360, 1340},
      {0, Mode::Mtu, "192.0.2.1", true, 0, 0},  // off
      {300, Mode::Mtu, "192.0.2.1", true, 536, 536},
  };
  for (const MssCase& row : cases) {
    SCOPED_TRACE(row.address);
    ServerConfig config;
    config.tunnel.mssfix = {.value = row.value, .mode = row.mode};

    const SessionSettings terms = session_terms(config, endpoint(row.address), row.data_v2);

    EXPECT_EQ(terms.mss_limit_v4, row.limit_v4);
    EXPECT_EQ(terms.mss_limit_v6, row.limit_v6);
    EXPECT_EQ(terms.data_v2, row.data_v2);
  }
}

TEST(SessionTerms, CarryTheKeepAlive) {
  ServerConfig config;
  config.timers.ping = 10s;
  config.timers.ping_restart = 120s;

  const SessionSettings terms = session_terms(config, endpoint("192.0.2.1"), true);

  EXPECT_EQ(terms.ping_interval, 10s);
  EXPECT_EQ(terms.ping_restart, 120s);
}

}  // namespace
}  // namespace ringway
