#include "dataplane/channel/echo_probe.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace ringway {
namespace {

using Packet = std::vector<std::uint8_t>;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const TunnelEnds kV4{.ours = ip("10.8.0.1"), .theirs = ip("10.8.0.2")};
const TunnelEnds kV6{.ours = ip("fd00:8::1"), .theirs = ip("fd00:8::1000")};

Packet request(const TunnelEnds& ends, std::size_t size, std::uint16_t sequence = 7) {
  Packet packet(size, 0xee);
  write_echo_request(packet, ends, sequence);
  return packet;
}

/// What the peer's host makes of it; the checksums are not looked at.
Packet reply(const TunnelEnds& ends, std::size_t size, std::uint16_t sequence = 7) {
  Packet packet = request({.ours = ends.theirs, .theirs = ends.ours}, size, sequence);
  packet[ends.ours.is_v4() ? 20 : 40] = ends.ours.is_v4() ? 0 : 129;
  return packet;
}

std::uint16_t folded(Bytes bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(EchoProbe, IsAnEchoRequestBetweenTheEndsWithRightChecksums) {
  for (const std::size_t size : {kEchoProbeSizeMin, std::size_t{1347}, std::size_t{1448}}) {
    const Packet v4 = request(kV4, size);
    EXPECT_EQ(load_be16(v4.data() + 2), size);
    EXPECT_EQ(v4[9], 1);
    EXPECT_EQ(v4[20], 8);
    EXPECT_EQ(folded(Bytes(v4).first(20), 0), 0xffff);
    EXPECT_EQ(folded(Bytes(v4).subspan(20), 0), 0xffff) << size;

    const Packet v6 = request(kV6, size);
    EXPECT_EQ(load_be16(v6.data() + 4), size - 40);
    EXPECT_EQ(v6[6], 58);
    EXPECT_EQ(v6[40], 128);
    const auto pseudo = static_cast<std::uint32_t>(size - 40 + 58);
    EXPECT_EQ(folded(Bytes(v6).subspan(8), pseudo), 0xffff) << size;
  }
}

TEST(EchoProbe, KnowsItsAnswer) {
  for (const TunnelEnds& ends : {kV4, kV6}) {
    EXPECT_TRUE(is_echo_reply(reply(ends, 1400), ends, 7));
    EXPECT_TRUE(is_echo_reply(reply(ends, kEchoProbeSizeMin), ends, 7));
  }
}

TEST(EchoProbe, TakesNothingElseForItsAnswer) {
  for (const TunnelEnds& ends : {kV4, kV6}) {
    EXPECT_FALSE(is_echo_reply(reply(ends, 1400, 8), ends, 7)) << "an older one";
    EXPECT_FALSE(is_echo_reply(request(ends, 1400), ends, 7)) << "itself";
    EXPECT_FALSE(is_echo_reply(reply({.ours = ends.theirs, .theirs = ends.ours}, 1400), ends, 7));
    Packet ping = reply(ends, 1400);
    ping[ends.ours.is_v4() ? 28 : 48] ^= 1;
    EXPECT_FALSE(is_echo_reply(ping, ends, 7)) << "without the magic";
    const Packet whole = reply(ends, 1400);
    EXPECT_FALSE(is_echo_reply(Bytes(whole).first(kEchoProbeSizeMin - 1), ends, 7));
    EXPECT_FALSE(is_echo_reply({}, ends, 7));
  }
  EXPECT_FALSE(is_echo_reply(reply(kV4, 1400), kV6, 7));
  EXPECT_FALSE(is_echo_reply(reply(kV6, 1400), kV4, 7));
}

}  // namespace
}  // namespace ringway
