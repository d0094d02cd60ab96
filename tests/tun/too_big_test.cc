#include "tun/too_big.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::ip_packet;
using test::Packet;
using test::reference_checksum;
using test::reference_pseudo_sum;
using test::udp_packet;

const IpAddress kRouter4 = IpAddress::parse("10.8.0.1").value();
const IpAddress kRouter6 = IpAddress::parse("fd00:8::1").value();

IpPacket parsed(const Packet& packet) {
  const auto ip = parse_ip_packet(packet);
  EXPECT_TRUE(ip.has_value());
  return ip.value_or(IpPacket{});
}

Packet answer_to(const Packet& packet, std::size_t mtu) {
  Packet out(kTooBigSizeMax, 0xee);
  const IpPacket ip = parsed(packet);
  const MutableBytes answer =
      write_too_big(out, ip, {.from = ip.is_v4() ? kRouter4 : kRouter6, .mtu = mtu});
  return {answer.begin(), answer.end()};
}

Packet with_addresses(Packet packet, std::string_view source, std::string_view destination) {
  const IpAddress from = IpAddress::parse(source).value();
  const IpAddress to = IpAddress::parse(destination).value();
  const auto at = packet.begin() + (from.is_v4() ? 12 : 8);
  std::ranges::copy(from.wire(), at);
  std::ranges::copy(to.wire(), at + static_cast<std::ptrdiff_t>(from.wire().size()));
  return packet;
}

TEST(TooBig, OfIpv4IsFragmentationNeededWithTheNextHopsMtu) {
  const Packet packet = udp_packet(true, counting_bytes(1472));

  const Packet answer = answer_to(packet, 1400);

  // RFC 1812 4.3.2.3: as much of the packet as makes 576 bytes.
  ASSERT_EQ(answer.size(), 576u);
  const IpPacket ip = parsed(answer);
  EXPECT_EQ(ip.total_length(), 576u);
  EXPECT_EQ(ip.protocol, 1);
  EXPECT_EQ(ip.source(), kRouter4);
  EXPECT_EQ(ip.destination(), parsed(packet).source());
  EXPECT_EQ(reference_checksum(Bytes(answer).first(20)), 0u);
  const Bytes message = ip.payload();
  EXPECT_EQ(message[0], 3);
  EXPECT_EQ(message[1], 4);
  EXPECT_EQ(load_be16(message.data() + 4), 0u);
  EXPECT_EQ(load_be16(message.data() + 6), 1400u);
  EXPECT_EQ(reference_checksum(message), 0u);
  EXPECT_TRUE(std::ranges::equal(message.subspan(8), Bytes(packet).first(548)));
}

TEST(TooBig, OfIpv6IsPacketTooBigWithTheMtu) {
  const Packet packet = udp_packet(false, counting_bytes(1452));

  const Packet answer = answer_to(packet, 1400);

  ASSERT_EQ(answer.size(), 1280u);
  const IpPacket ip = parsed(answer);
  EXPECT_EQ(ip.protocol, 58);
  EXPECT_EQ(ip.source(), kRouter6);
  EXPECT_EQ(ip.destination(), parsed(packet).source());
  const Bytes message = ip.payload();
  EXPECT_EQ(message[0], 2);
  EXPECT_EQ(message[1], 0);
  EXPECT_EQ(load_be32(message.data() + 4), 1400u);
  EXPECT_EQ(reference_checksum(message, reference_pseudo_sum(answer, 58, message.size())), 0u);
  EXPECT_TRUE(std::ranges::equal(message.subspan(8), Bytes(packet).first(1232)));
}

TEST(TooBig, QuotesAShortPacketWhole) {
  const Packet v4 = udp_packet(true, counting_bytes(100));
  EXPECT_EQ(answer_to(v4, 68).size(), 20u + 8 + v4.size());
  const Packet v6 = udp_packet(false, counting_bytes(101));
  EXPECT_EQ(answer_to(v6, 1280).size(), 40u + 8 + v6.size());
}

TEST(TooBig, NamesNoLimitBelowWhatEveryLinkTakes) {
  const Packet v4 = udp_packet(true, counting_bytes(1400));
  const Packet v6 = udp_packet(false, counting_bytes(1400));

  EXPECT_EQ(inner_limit(parsed(v4), 1200), 1200u);
  EXPECT_EQ(inner_limit(parsed(v4), 20), 68u);
  EXPECT_EQ(inner_limit(parsed(v6), 1400), 1400u);
  EXPECT_EQ(inner_limit(parsed(v6), 1200), 1280u);
}

TEST(TooBig, IsSaidOfOrdinaryPackets) {
  EXPECT_TRUE(may_be_told_too_big(parsed(udp_packet(true, counting_bytes(100)))));
  EXPECT_TRUE(may_be_told_too_big(parsed(udp_packet(false, counting_bytes(100)))));
}

// Security goal C08; RFC 1122 3.2.2 and RFC 4443 2.4 (e). Of a type that is not known nobody can
// say that it is no error.
TEST(TooBig, IsNeverSaidOfIcmpErrorsOrWhatCouldBeOne) {
  const std::uint8_t queries4[] = {0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 42, 43};
  for (unsigned type = 0; type < 256; ++type) {
    const Packet message = {static_cast<std::uint8_t>(type), 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(may_be_told_too_big(parsed(ip_packet(true, 1, message))),
              std::ranges::find(queries4, type) != std::end(queries4))
        << "ICMP type " << type;
    EXPECT_EQ(may_be_told_too_big(parsed(ip_packet(false, 58, message))),
              type >= 128 && type != 137)
        << "ICMPv6 type " << type;
  }
  EXPECT_FALSE(may_be_told_too_big(parsed(ip_packet(true, 1, {}))));
  EXPECT_FALSE(may_be_told_too_big(parsed(ip_packet(false, 58, {}))));
}

// Security goal C03: what lies behind a long chain is hidden, and may be an ICMPv6 error.
TEST(TooBig, IsNeverSaidOfWhatAChainOfHeadersHides) {
  Packet chain;
  for (unsigned i = 0; i < kIpv6ExtensionsMax + 1; ++i) {
    chain.insert(chain.end(), {i == kIpv6ExtensionsMax ? std::uint8_t{58} : std::uint8_t{60}, 0, 1,
                               4, 0, 0, 0, 0});
  }
  chain.insert(chain.end(), {2, 0, 0, 0, 0, 0, 5, 0});

  EXPECT_FALSE(may_be_told_too_big(parsed(ip_packet(false, 60, chain))));
}

TEST(TooBig, IsSaidOfAFirstFragmentAndNeverOfALaterOne) {
  const Packet payload = counting_bytes(1000);
  EXPECT_TRUE(
      may_be_told_too_big(parsed(ip_packet(true, 17, payload, {.v4_fragment_word = 0x2000}))));
  EXPECT_FALSE(
      may_be_told_too_big(parsed(ip_packet(true, 17, payload, {.v4_fragment_word = 0x2001}))));

  Packet first = {17, 0, 0, 1, 0, 0, 0, 7};
  Packet later = {17, 0, 0, 9, 0, 0, 0, 7};
  first.insert(first.end(), payload.begin(), payload.end());
  later.insert(later.end(), payload.begin(), payload.end());
  EXPECT_TRUE(may_be_told_too_big(parsed(ip_packet(false, 44, first))));
  EXPECT_FALSE(may_be_told_too_big(parsed(ip_packet(false, 44, later))));
}

TEST(TooBig, IsNeverSaidToOrAboutAnAddressThatIsNoSingleHost) {
  const Packet v4 = udp_packet(true, counting_bytes(100));
  for (const char* const bad : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1",
                                "239.1.2.3", "240.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(may_be_told_too_big(parsed(with_addresses(v4, bad, "192.0.2.1")))) << bad;
    EXPECT_FALSE(may_be_told_too_big(parsed(with_addresses(v4, "192.0.2.1", bad)))) << bad;
  }
  const Packet v6 = udp_packet(false, counting_bytes(100));
  for (const char* const bad : {"::", "::1", "::5", "fe80::1", "febf::1", "ff02::1"}) {
    EXPECT_FALSE(may_be_told_too_big(parsed(with_addresses(v6, bad, "2001:db8::1")))) << bad;
    EXPECT_FALSE(may_be_told_too_big(parsed(with_addresses(v6, "2001:db8::1", bad)))) << bad;
  }
}

TEST(TooBig, IsItselfSuchThatNobodyAnswersIt) {
  const Packet v4 = answer_to(udp_packet(true, counting_bytes(1400)), 1280);
  const Packet v6 = answer_to(udp_packet(false, counting_bytes(1400)), 1280);

  EXPECT_FALSE(may_be_told_too_big(parsed(v4)));
  EXPECT_FALSE(may_be_told_too_big(parsed(v6)));
}

}  // namespace
}  // namespace ringway
