#include "perf/src/wire/drop_places.h"

#include <gtest/gtest.h>

namespace ringway::wire {
namespace {

constexpr std::string_view kDevices =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n"
    "    lo:       0       0    0    0    0     0          0         0        0       0    0    0  "
    "  0     0       0          0\n"
    "outer0: 1234567     100    1    2    3     4          5         6  7654321     200    9   17  "
    "  0     0       0          0\n";

TEST(DropPlaces, FindsTheDropsOfADevice) {
  EXPECT_EQ(tx_dropped_of(kDevices, "outer0"), 17u);
  EXPECT_EQ(tx_dropped_of(kDevices, "lo"), 0u);
}

TEST(DropPlaces, HasNoDropsOfADeviceThatIsNotThere) {
  EXPECT_EQ(tx_dropped_of(kDevices, "outer"), 0u);
  EXPECT_EQ(tx_dropped_of("", "outer0"), 0u);
}

TEST(DropPlaces, FindsSocketOverflowsByTheNameOfTheirColumn) {
  constexpr std::string_view kSnmp =
      "Tcp: InSegs RcvbufErrors\n"
      "Tcp: 5 6\n"
      "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
      "Udp: 1 2 3 4 42 6\n"
      "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
      "UdpLite: 0 0 0 0 7 0\n";

  EXPECT_EQ(udp4_overflows_of(kSnmp), 42u);
  EXPECT_EQ(udp4_overflows_of("Udp: InDatagrams\nUdp: 3\n"), 0u);
}

TEST(DropPlaces, FindsSocketOverflowsOfIpv6) {
  EXPECT_EQ(udp6_overflows_of("Udp6InErrors 3\nUdp6RcvbufErrors               \t11\n"), 11u);
  EXPECT_EQ(udp6_overflows_of("UdpLite6RcvbufErrors 3\n"), 0u);
}

TEST(DropPlaces, CountsFromAMoment) {
  const DropPlaces before{.outer_queue = 1, .server_socket = 10};
  const DropPlaces after{.outer_queue = 4, .server_socket = 10};

  EXPECT_EQ(after.since(before).outer_queue, 3u);
  EXPECT_EQ(after.since(before).server_socket, 0u);
}

}  // namespace
}  // namespace ringway::wire
