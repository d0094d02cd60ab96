#include "dataplane/channel/mss_fix.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

using Mode = MssFix::Mode;

constexpr OuterFormat kOverV4{.is_v4 = true};
constexpr OuterFormat kOverV6{.is_v4 = false};
constexpr OuterFormat kDataV1{.is_v4 = true, .data_v2 = false};
constexpr OuterFormat kEpochsOverV4{.is_v4 = true, .in_epochs = true};
constexpr OuterFormat kEpochsOverV6{.is_v4 = false, .in_epochs = true};

TEST(MssFix, WrittenIsWhatOpenVpnMakesOfIt) {
  struct Case {
    MssFix mssfix;
    OuterFormat outer;
    std::uint16_t limit_v4;
    std::uint16_t limit_v6;
  };
  const Case cases[] = {
      {{1492, Mode::Mtu}, kOverV4, 1400, 1380},        // logged by OpenVPN 2.6.14
      {{1492, Mode::Mtu}, kOverV6, 1380, 1360},        // logged by OpenVPN 2.6.14
      {{1492, Mode::Mtu}, kDataV1, 1403, 1383},        // three bytes less around it
      {{1492, Mode::Mtu}, kEpochsOverV4, 1396, 1376},  // logged by OpenVPN 2.7.6
      {{1492, Mode::Mtu}, kEpochsOverV6, 1376, 1356},  // logged by OpenVPN 2.7.6
      {{1452, Mode::Mtu}, kEpochsOverV4, 1356, 1336},  // DS-Lite on PPPoE
      {{1400, Mode::Mtu}, kEpochsOverV4, 1304, 1284},
      {{1460, Mode::Mtu}, kOverV4, 1368, 1348},      // DS-Lite: 1408 less 40 and 60
      {{1452, Mode::Mtu}, kOverV4, 1360, 1340},      // DS-Lite on PPPoE
      {{1280, Mode::Mtu}, kOverV4, 1188, 1168},      // DS-Lite as OpenWrt sets it up
      {{1492, Mode::Payload}, kOverV6, 1428, 1408},  // the family does not count
      {{1450, Mode::Payload}, kOverV4, 1386, 1366},
      {{1400, Mode::Fixed}, kOverV6, 1360, 1340},
      {{0, Mode::Mtu}, kOverV4, 0, 0},  // off
      {{0, Mode::Payload}, kOverV4, 0, 0},
      {MssFix::off(), kOverV4, 0, 0},
      {{300, Mode::Mtu}, kOverV4, 536, 536},
  };
  for (const Case& row : cases) {
    const InnerMss limits = mss_limits(row.mssfix, row.outer, {.packet_max = 100});
    EXPECT_EQ(limits.v4, row.limit_v4) << row.mssfix.value;
    EXPECT_EQ(limits.v6, row.limit_v6) << row.mssfix.value;
  }
}

TEST(MssFix, GivesWayToAPathThatWasMeasuredToCarryLess) {
  const PathRoom narrow{.packet_max = 1348, .is_measured = true};

  EXPECT_EQ(mss_limits({1492, Mode::Mtu}, kOverV4, narrow).v4, 1308);
  EXPECT_EQ(mss_limits({1450, Mode::Payload}, kOverV4, narrow).v6, 1288);
  EXPECT_EQ(mss_limits({1300, Mode::Mtu}, kOverV4, narrow).v4, 1208);
  EXPECT_EQ(mss_limits(MssFix::off(), kOverV4, narrow).v4, 0);
}

TEST(MssFix, FollowsThePathWhenNothingIsWritten) {
  for (const bool is_measured : {false, true}) {
    const InnerMss limits =
        mss_limits({}, kOverV4, {.packet_max = 1408, .is_measured = is_measured});
    EXPECT_EQ(limits.v4, 1368);
    EXPECT_EQ(limits.v6, 1348);
  }
  EXPECT_EQ(mss_limits({}, kOverV4, {.packet_max = 65'535}).v4, 65'495);
  EXPECT_EQ(mss_limits({}, kOverV4, {.packet_max = 10}).v4, 536);
}

}  // namespace
}  // namespace ringway
