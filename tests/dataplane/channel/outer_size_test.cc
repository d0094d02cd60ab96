#include "dataplane/channel/outer_size.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

struct Line {
  const char* what;
  /// What the client's line carries of each family, outside.
  std::size_t outer_v4;
  std::size_t outer_v6;
  std::size_t inner_over_v4;
  std::size_t inner_over_v6;
};

/// The 40 bytes of a softwire (RFC 6333 5.3) are gone from what it carries of IPv4.
constexpr Line kLines[] = {
    {"Ethernet, dual stack", 1500, 1500, 1448, 1428},
    {"PPPoE", 1492, 1492, 1440, 1420},
    {"DS-Lite on Ethernet", 1460, 1500, 1408, 1428},
    {"DS-Lite on PPPoE", 1452, 1492, 1400, 1420},
    {"DS-Lite as OpenWrt sets it up", 1280, 1500, 1228, 1428},
};

TEST(OuterFormat, KnowsTheLargestInnerPacketOfEachLine) {
  for (const Line& line : kLines) {
    EXPECT_EQ(OuterFormat{.is_v4 = true}.inner_size_max(line.outer_v4), line.inner_over_v4)
        << line.what;
    EXPECT_EQ(OuterFormat{.is_v4 = false}.inner_size_max(line.outer_v6), line.inner_over_v6)
        << line.what;
  }
}

TEST(OuterFormat, LeavesDataV1ThreeBytesMore) {
  EXPECT_EQ((OuterFormat{.is_v4 = true, .data_v2 = false}.inner_size_max(1500)), 1451u);
}

TEST(OuterFormat, TakesFourBytesMoreForEpochs) {
  for (const Line& line : kLines) {
    EXPECT_EQ((OuterFormat{.is_v4 = true, .in_epochs = true}.inner_size_max(line.outer_v4)),
              line.inner_over_v4 - 4)
        << line.what;
    EXPECT_EQ((OuterFormat{.is_v4 = false, .in_epochs = true}.inner_size_max(line.outer_v6)),
              line.inner_over_v6 - 4)
        << line.what;
  }
}

TEST(OuterFormat, CountsTheHeaderOfTcpAndTheLength) {
  EXPECT_EQ((OuterFormat{.is_v4 = true, .is_tcp = true}.size()), 20u + 20 + 2 + 24);
  EXPECT_EQ((OuterFormat{.is_v4 = false, .is_tcp = true}.size()), 40u + 20 + 2 + 24);
}

TEST(OuterFormat, HasRoomForNothingWhereItsHeadersFillThePath) {
  EXPECT_EQ(OuterFormat{}.inner_size_max(52), 0u);
  EXPECT_EQ(OuterFormat{}.inner_size_max(0), 0u);
}

}  // namespace
}  // namespace ringway
