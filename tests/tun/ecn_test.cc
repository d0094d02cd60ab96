#include "tun/ecn.h"

#include <gtest/gtest.h>

#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::Packet;
using test::udp_packet;

constexpr std::uint8_t kDrop = 0xff;

// RFC 6040 4.2, figure 4: rows by the inner mark, columns by the outer one, in the order of the
// figure: Not-ECT, ECT(0), ECT(1), CE.
constexpr std::uint8_t kOrder[] = {ecn::kNotCapable, ecn::kCapable0, ecn::kCapable1,
                                   ecn::kCongestion};
constexpr std::uint8_t kFigure4[4][4] = {
    {ecn::kNotCapable, ecn::kNotCapable, ecn::kNotCapable, kDrop},
    {ecn::kCapable0, ecn::kCapable0, ecn::kCapable1, ecn::kCongestion},
    {ecn::kCapable1, ecn::kCapable1, ecn::kCapable1, ecn::kCongestion},
    {ecn::kCongestion, ecn::kCongestion, ecn::kCongestion, ecn::kCongestion}};

TEST(Ecn, IsCombinedAsFigure4OfRfc6040HasIt) {
  for (std::size_t inner = 0; inner < 4; ++inner) {
    for (std::size_t outer = 0; outer < 4; ++outer) {
      EXPECT_EQ(combined_ecn({.inner = kOrder[inner], .outer = kOrder[outer]}).value_or(kDrop),
                kFigure4[inner][outer])
          << "inner " << int{kOrder[inner]} << ", outer " << int{kOrder[outer]};
    }
  }
}

TEST(Ecn, IsWrittenIntoThePacketWithARightChecksumAndNothingElse) {
  for (const bool v4 : {true, false}) {
    for (const std::uint8_t inner : kOrder) {
      for (const std::uint8_t outer : kOrder) {
        const auto traffic_class = static_cast<std::uint8_t>(0xb8 | inner);
        Packet packet = udp_packet(v4, counting_bytes(100), {}, {.traffic_class = traffic_class});
        const auto mark = combined_ecn({.inner = inner, .outer = outer});
        const Packet expected =
            udp_packet(v4, counting_bytes(100), {},
                       {.traffic_class = static_cast<std::uint8_t>(0xb8 | mark.value_or(inner))});
        auto ip = parse_ip_packet(packet);
        ASSERT_TRUE(ip.has_value());

        EXPECT_EQ(take_outer_ecn(packet, *ip, outer), mark.has_value());

        EXPECT_EQ(packet, expected);
        EXPECT_EQ(ip->traffic_class, parse_ip_packet(packet)->traffic_class);
      }
    }
  }
}

}  // namespace
}  // namespace ringway
