#include "dataplane/icmp_hint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/support/hex.h"

namespace ringway {
namespace {

using Message = std::vector<std::uint8_t>;

/// From 203.0.113.9 about a datagram of 1,500 bytes from 192.0.2.1:1194 to 198.51.100.7:40000.
Message needed(std::uint16_t mtu) {
  Message message = test::from_hex(
      "450000380000000040010000cb007109c0000201"  // IPv4, ICMP
      "0304000000000000"                          // fragmentation needed
      "450005dc000040004011"
      "0000c0000201c6336407"
      "04aa9c4005c80000");
  store_be16(message.data() + 26, mtu);
  return message;
}

/// The same about 2001:db8::1 and 2001:db8:5::7.
Message too_big(std::uint32_t mtu) {
  Message message = test::from_hex(
      "0200000000000000"
      "6000000005b41140"
      "20010db8000000000000000000000001"
      "20010db8000500000000000000000007"
      "04aa9c4005b40000");
  store_be32(message.data() + 4, mtu);
  return message;
}

TEST(IcmpHint, SaysWhoseDatagramWasTooLargeAndWhatIsNot) {
  const auto v4 = read_fragmentation_needed(needed(1460));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->from.to_string(), "192.0.2.1:1194");
  EXPECT_EQ(v4->to.to_string(), "198.51.100.7:40000");
  EXPECT_EQ(v4->mtu, 1460);

  const auto v6 = read_packet_too_big(too_big(1280));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->from.to_string(), "[2001:db8::1]:1194");
  EXPECT_EQ(v6->to.to_string(), "[2001:db8:5::7]:40000");
  EXPECT_EQ(v6->mtu, 1280);
}

TEST(IcmpHint, OfAnOldRouterIsThatTheDatagramWasTooLarge) {
  EXPECT_EQ(read_fragmentation_needed(needed(0))->mtu, 1499);
}

TEST(IcmpHint, DoesNotWrapAround) {
  EXPECT_EQ(read_packet_too_big(too_big(0x10500))->mtu, 0xffff);
  EXPECT_FALSE(read_packet_too_big(too_big(0)));
}

TEST(IcmpHint, IsReadFromNothingThatIsCutOff) {
  const Message v4 = needed(1460);
  for (std::size_t size = 0; size + 4 < v4.size(); ++size) {
    EXPECT_FALSE(read_fragmentation_needed(Bytes(v4).first(size))) << size;
  }
  const Message v6 = too_big(1280);
  for (std::size_t size = 0; size + 4 < v6.size(); ++size) {
    EXPECT_FALSE(read_packet_too_big(Bytes(v6).first(size))) << size;
  }
}

TEST(IcmpHint, IsReadFromNoOtherMessage) {
  struct Case {
    const char* what;
    std::size_t offset;
    std::uint8_t value;
  };
  for (const Case& one :
       {Case{"not IPv4", 0, 0x65}, Case{"a header that is too short", 0, 0x44},
        Case{"a later fragment", 7, 1}, Case{"not ICMP", 9, 17}, Case{"time exceeded", 20, 11},
        Case{"port unreachable", 21, 3}, Case{"quotes IPv6", 28, 0x65},
        Case{"quotes a later fragment", 35, 1}, Case{"quotes TCP", 37, 6}}) {
    Message message = needed(1460);
    message[one.offset] = one.value;
    EXPECT_FALSE(read_fragmentation_needed(message)) << one.what;
  }
  for (const Case& one : {Case{"unreachable", 0, 1}, Case{"quotes IPv4", 8, 0x45},
                          Case{"quotes TCP", 14, 6}, Case{"quotes a fragment", 14, 44}}) {
    Message message = too_big(1280);
    message[one.offset] = one.value;
    EXPECT_FALSE(read_packet_too_big(message)) << one.what;
  }
}

// C08: strangers write what they like into the packet that they quote.
TEST(IcmpHint, IsOfOneFamily) {
  const Message mapped = test::from_hex("00000000000000000000ffffcb007109");
  constexpr std::size_t kSource = 16;
  constexpr std::size_t kDestination = 32;
  for (const std::size_t place : {kSource, kDestination}) {
    Message message = too_big(1280);
    std::ranges::copy(mapped, message.begin() + static_cast<std::ptrdiff_t>(place));
    EXPECT_FALSE(read_packet_too_big(message)) << place;
  }
}

TEST(IcmpHint, IsFoundBehindIpOptions) {
  Message message = needed(1460);
  message[0] = 0x46;
  message.insert(message.begin() + 20, {1, 1, 1, 0});
  EXPECT_EQ(read_fragmentation_needed(message)->mtu, 1460);
}

}  // namespace
}  // namespace ringway
