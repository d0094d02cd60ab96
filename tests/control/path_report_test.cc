#include "control/path_report.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

ClientStatus client(const char* name, const char* address) {
  ClientStatus status;
  status.client.common_name = name;
  status.client.endpoint.remote = {.address = *IpAddress::parse(address), .port = 40'000};
  return status;
}

TEST(PathReport, SaysWhatIsSentToEachClientAndWhetherItArrives) {
  std::vector<ClientStatus> clients = {client("one", "192.0.2.11"), client("two", "2001:db8::12"),
                                       client("three", "192.0.2.13"),
                                       client("new\ncomer", "192.0.2.14")};
  clients[0].path_mtu = 1460;
  clients[0].path_is_proven = true;
  clients[1].path_mtu = 1400;
  clients[2].path_mtu = 0xffff;
  clients[3].path_mtu = 0;

  EXPECT_EQ(path_report(clients),
            "one 192.0.2.11:40000: path MTU 1460 (proven)\n"
            "two [2001:db8::12]:40000: path MTU 1400 (assumed)\n"
            "three 192.0.2.13:40000: path MTU unlimited\n");
}

TEST(PathReport, EscapesNames) {
  std::vector<ClientStatus> clients = {client("new\ncomer", "192.0.2.14")};
  clients[0].path_mtu = 1400;

  EXPECT_EQ(path_report(clients).find('\n'), path_report(clients).size() - 1);
}

TEST(PathReport, IsEmptyWithoutClients) { EXPECT_EQ(path_report({}), ""); }

}  // namespace
}  // namespace ringway
