#include "control/status_report.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr UnixTime kNow{1795458636};        // 2026-11-23 18:30:36 UTC
constexpr UnixTime kConnected{1795458631};  // five seconds earlier

ClientStatus client1() {
  return {
      .client = {.peer_id = {0},
                 .client_id = 0,
                 .common_name = "client1",
                 .endpoint = {.remote = {.address = *IpAddress::parse("192.0.2.2"), .port = 55470}},
                 .address_v4 = IpAddress::parse("10.77.0.2"),
                 .address_v6 = IpAddress::parse("fd77::1000"),
                 .cipher = DataCipher::Aes256Gcm,
                 .connected_since = kConnected},
      .bytes_received = 2085,
      .bytes_sent = 2109,
      .last_heard = kConnected};
}

TEST(StatusReport, WritesVersion1AsOpenVpnDoes) {
  EXPECT_EQ(status_report(1, {client1()}, kNow, 0),
            "OpenVPN CLIENT LIST\n"
            "Updated,2026-11-23 18:30:36\n"
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since\n"
            "client1,192.0.2.2:55470,2085,2109,2026-11-23 18:30:31\n"
            "ROUTING TABLE\n"
            "Virtual Address,Common Name,Real Address,Last Ref\n"
            "10.77.0.2,client1,192.0.2.2:55470,2026-11-23 18:30:31\n"
            "fd77::1000,client1,192.0.2.2:55470,2026-11-23 18:30:31\n"
            "GLOBAL STATS\n"
            "Max bcast/mcast queue length,0\n"
            "END\n");
}

TEST(StatusReport, WritesVersion2AsOpenVpnDoes) {
  EXPECT_EQ(status_report(2, {client1()}, kNow, 0),
            "TITLE,Ringway " RINGWAY_VERSION
            "\n"
            "TIME,2026-11-23 18:30:36,1795458636\n"
            "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,"
            "Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,"
            "Client ID,Peer ID,Data Channel Cipher\n"
            "CLIENT_LIST,client1,192.0.2.2:55470,10.77.0.2,fd77::1000,2085,2109,"
            "2026-11-23 18:30:31,1795458631,UNDEF,0,0,AES-256-GCM\n"
            "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,"
            "Last Ref (time_t)\n"
            "ROUTING_TABLE,10.77.0.2,client1,192.0.2.2:55470,2026-11-23 18:30:31,1795458631\n"
            "ROUTING_TABLE,fd77::1000,client1,192.0.2.2:55470,2026-11-23 18:30:31,1795458631\n"
            "GLOBAL_STATS,Max bcast/mcast queue length,0\n"
            "GLOBAL_STATS,dco_enabled,0\n"
            "END\n");
}

TEST(StatusReport, SeparatesVersion3ByTabs) {
  std::string version_2 = status_report(2, {client1()}, kNow, 0);
  for (char& c : version_2) {
    if (c == ',') c = '\t';
  }

  EXPECT_EQ(status_report(3, {client1()}, kNow, 0), version_2);
}

TEST(StatusReport, WritesTimesOfTheLocalZone) {
  EXPECT_NE(status_report(1, {}, kNow, 3600).find("Updated,2026-11-23 19:30:36\n"),
            std::string::npos);
  EXPECT_NE(status_report(2, {}, kNow, -3600).find("TIME,2026-11-23 17:30:36,1795458636\n"),
            std::string::npos);
}

TEST(StatusReport, LetsNoNameBreakItsLines) {
  ClientStatus status = client1();
  status.client.common_name = "a,b\tc\nd\x7f";

  EXPECT_NE(status_report(2, {status}, kNow, 0).find("CLIENT_LIST,a_b_c_d_,192.0.2.2"),
            std::string::npos);
  // As in the lease file, and as programs see them.
  status.client.common_name = "CORP\\\xc3\xbcn\xc3\xaf";
  EXPECT_NE(status_report(2, {status}, kNow, 0).find("CORP\\\xc3\xbcn\xc3\xaf,"),
            std::string::npos);
}

TEST(StatusReport, CallsAClientWithoutANameUndefined) {
  ClientStatus status = client1();
  status.client.common_name.clear();

  EXPECT_NE(status_report(1, {status}, kNow, 0).find("UNDEF,192.0.2.2:55470"), std::string::npos);
}

}  // namespace
}  // namespace ringway
