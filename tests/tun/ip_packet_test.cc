#include "tun/ip_packet.h"

#include <gtest/gtest.h>

#include "tests/support/hex.h"
#include "tests/tun/packets.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::from_hex;
using test::Packet;
using test::tcp_packet;
using test::udp_packet;

// A real ping's first packet, and the first TCP segment of a connection over IPv6.
constexpr const char* kIcmpV4 =
    "450000541a2b40004001df4b0a080002c0000201"
    "0800f7d200010001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526"
    "27"
    "28292a2b2c2d2e2f3031323334353637";
constexpr const char* kSynV6 =
    "6b812345002806 40 fd000000000000000000000000000002 20010db8000000000000000000000001"
    "9c4001bb000003e800000000a002fa00123400000204058c0402080a0000000100000000 01030307";

/// A fragment header, or another extension header of eight bytes.
Packet extension(std::uint8_t next_header, std::uint16_t fragment_word = 0) {
  Packet header(8);
  header[0] = next_header;
  store_be16(header.data() + 2, fragment_word);
  return header;
}

Packet with_extensions(std::uint8_t first, const std::vector<Packet>& extensions,
                       Bytes payload = {}) {
  Packet body;
  for (const Packet& one : extensions) body.insert(body.end(), one.begin(), one.end());
  body.insert(body.end(), payload.begin(), payload.end());
  return test::ip_packet(false, first, body);
}

TEST(IpPacket, ReadsAnIpv4Header) {
  Packet bytes = from_hex(kIcmpV4);
  bytes[1] = 0xb9;

  const auto packet = parse_ip_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->is_v4());
  EXPECT_EQ(packet->source().to_string(), "10.8.0.2");
  EXPECT_EQ(packet->destination().to_string(), "192.0.2.1");
  EXPECT_EQ(load_be32(packet->source_bytes().data()), 0x0a080002u);
  EXPECT_EQ(load_be32(packet->destination_bytes().data()), 0xc0000201u);
  EXPECT_EQ(packet->total_length(), 84u);
  EXPECT_EQ(packet->header_size, 20u);
  EXPECT_EQ(packet->payload().size(), 64u);
  EXPECT_EQ(packet->protocol, 1);
  EXPECT_EQ(packet->hop_limit, 64);
  EXPECT_EQ(packet->dscp(), 46);
  EXPECT_EQ(packet->ecn(), 1);
  EXPECT_FALSE(packet->is_fragment);
  EXPECT_FALSE(packet->has_options);
  EXPECT_FALSE(packet->tcp());
  EXPECT_FALSE(packet->udp());
}

TEST(IpPacket, ReadsAnIpv6HeaderAndItsTcpHeader) {
  const Packet bytes = from_hex(kSynV6);

  const auto packet = parse_ip_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_FALSE(packet->is_v4());
  EXPECT_EQ(packet->source().to_string(), "fd00::2");
  EXPECT_EQ(packet->destination().to_string(), "2001:db8::1");
  EXPECT_EQ(packet->destination_bytes().size(), 16u);
  EXPECT_EQ(packet->traffic_class, 0xb8);
  EXPECT_EQ(packet->total_length(), 80u);
  const auto tcp = packet->tcp();
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->source_port, 40000);
  EXPECT_EQ(tcp->destination_port, 443);
  EXPECT_EQ(tcp->sequence, 1000u);
  EXPECT_EQ(tcp->flags, tcp_flag::kSyn);
  EXPECT_EQ(tcp->header_size, 40);
  EXPECT_EQ(tcp->checksum, 0x1234);
  EXPECT_EQ(tcp->options.size(), 20u);
  EXPECT_TRUE(tcp->payload.empty());
}

TEST(IpPacket, ReadsUdpOfBothFamilies) {
  for (const bool v4 : {true, false}) {
    const Packet bytes = udp_packet(v4, counting_bytes(11));

    const auto packet = parse_ip_packet(bytes);

    ASSERT_TRUE(packet);
    const auto udp = packet->udp();
    ASSERT_TRUE(udp);
    EXPECT_EQ(udp->source_port, 40000);
    EXPECT_EQ(udp->destination_port, 443);
    EXPECT_EQ(udp->length, 19);
    EXPECT_EQ(udp->payload.size(), 11u);
    EXPECT_FALSE(packet->tcp());
  }
}

TEST(IpPacket, LeavesOutWhatLiesBehindTheTotalLength) {
  for (const bool v4 : {true, false}) {
    Packet bytes = udp_packet(v4, counting_bytes(11));
    const std::size_t size = bytes.size();
    bytes.resize(size + 18);

    const auto packet = parse_ip_packet(bytes);

    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->total_length(), size);
  }
}

TEST(IpPacket, RefusesEveryTruncation_C02) {
  const std::vector<Packet> whole = {
      from_hex(kIcmpV4),
      from_hex(kSynV6),
      with_extensions(0, {extension(44), extension(6, 0x0001)}, counting_bytes(40)),
  };
  for (const Packet& bytes : whole) {
    ASSERT_TRUE(parse_ip_packet(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto packet = parse_ip_packet(Bytes(bytes).first(size));
      ASSERT_FALSE(packet) << size;
      EXPECT_EQ(packet.error(), Drop::MalformedInner);
    }
  }
}

TEST(IpPacket, RefusesContradictionsInTheFixedHeader_C02) {
  struct Case {
    const char* what;
    std::size_t at;
    std::uint16_t value;
  };
  const Packet v4 = from_hex(kIcmpV4);
  const Case cases[] = {
      {"version 0", 0, 0x0500},
      {"version 5", 0, 0x5500},
      {"version 15", 0, 0xf500},
      {"header of 16 bytes", 0, 0x4400},
      {"header of 0 bytes", 0, 0x4000},
      {"total length below the header", 2, 19},
      {"total length 0", 2, 0},
      {"total length above the memory", 2, 85},
      {"fragment that is no multiple of eight", 6, 0x2000},
  };
  for (const Case& one : cases) {
    Packet bytes = v4;
    store_be16(bytes.data() + one.at, one.value);
    if (one.at == 6) store_be16(bytes.data() + 2, 83);
    EXPECT_FALSE(parse_ip_packet(bytes)) << one.what;
  }
  Packet header_above_total = v4;
  header_above_total[0] = 0x4f;
  store_be16(header_above_total.data() + 2, 59);
  EXPECT_FALSE(parse_ip_packet(header_above_total));
  Packet payload_above_memory = from_hex(kSynV6);
  store_be16(payload_above_memory.data() + 4, 41);
  EXPECT_FALSE(parse_ip_packet(payload_above_memory));
}

TEST(IpPacket, RefusesV4MappedAddressesInIpv6_C01) {
  for (const std::size_t at : {std::size_t{8}, std::size_t{24}}) {
    Packet bytes = from_hex(kSynV6);
    const auto mapped = IpAddress::parse("10.8.0.3")->bytes();
    std::copy(mapped.begin(), mapped.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));

    const auto packet = parse_ip_packet(bytes);

    ASSERT_FALSE(packet);
    EXPECT_EQ(packet.error(), Drop::MalformedInner);
  }
}

TEST(IpPacket, SeesIpv4Options) {
  Packet bytes = from_hex(kIcmpV4);
  bytes[0] = 0x46;

  const auto packet = parse_ip_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->has_options);
  EXPECT_EQ(packet->header_size, 24);
}

TEST(IpPacket, SeesIpv4Fragments) {
  test::IpFields first{.v4_fragment_word = 0x2000};
  test::IpFields later{.v4_fragment_word = 0x0010};
  const Packet first_bytes = udp_packet(true, counting_bytes(64), {}, first);
  const Packet later_bytes = udp_packet(true, counting_bytes(64), {}, later);

  const auto first_packet = parse_ip_packet(first_bytes);
  const auto later_packet = parse_ip_packet(later_bytes);

  ASSERT_TRUE(first_packet && later_packet);
  EXPECT_TRUE(first_packet->is_fragment);
  EXPECT_FALSE(first_packet->is_later_fragment);
  EXPECT_TRUE(first_packet->udp());
  EXPECT_TRUE(later_packet->is_fragment);
  EXPECT_TRUE(later_packet->is_later_fragment);
  EXPECT_FALSE(later_packet->udp());
}

TEST(IpPacket, ShowsNoTransportHeaderInTheMiddleOfAPacket_C03) {
  const test::IpFields later{.v4_fragment_word = 0x0010};
  const Packet tcp = tcp_packet(true, counting_bytes(64), {}, later);
  Packet udp = udp_packet(true, counting_bytes(64), {}, {.v4_fragment_word = 0x2000});
  store_be16(udp.data() + 24, 7);

  EXPECT_FALSE(parse_ip_packet(tcp)->tcp());
  EXPECT_FALSE(parse_ip_packet(udp)->udp()) << "first fragment, UDP length below the header";
}

TEST(IpPacket, RefusesFragmentsBeyondTheLargestPacket_C03) {
  const Packet v4 =
      udp_packet(true, counting_bytes(64), {}, test::IpFields{.v4_fragment_word = 0x1fff});
  const Packet v6 = with_extensions(44, {extension(17, 0xfff8)}, counting_bytes(8));

  EXPECT_FALSE(parse_ip_packet(v4));
  EXPECT_FALSE(parse_ip_packet(v6));
}

TEST(IpPacket, FindsTcpBehindIpv6ExtensionHeaders) {
  const Packet tcp = tcp_packet(false, counting_bytes(5));
  Packet authentication(12);  // Three words, less two.
  authentication[0] = 60;
  authentication[1] = 1;
  const Packet bytes = with_extensions(0, {extension(51), authentication, extension(6)},
                                       Bytes(tcp).subspan(kIpv6HeaderSize));

  const auto packet = parse_ip_packet(bytes);

  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->has_options);
  EXPECT_EQ(packet->header_size, 40 + 8 + 12 + 8);
  ASSERT_TRUE(packet->tcp());
  EXPECT_EQ(packet->tcp()->payload.size(), 5u);
}

TEST(IpPacket, SeesIpv6Fragments) {
  const Packet first = with_extensions(44, {extension(17, 0x0001)}, counting_bytes(64));
  const Packet later = with_extensions(44, {extension(0, 0x0040)}, counting_bytes(63));

  const auto first_packet = parse_ip_packet(first);
  const auto later_packet = parse_ip_packet(later);

  ASSERT_TRUE(first_packet && later_packet);
  EXPECT_TRUE(first_packet->is_fragment);
  EXPECT_FALSE(first_packet->is_later_fragment);
  EXPECT_TRUE(first_packet->udp());
  EXPECT_TRUE(later_packet->is_later_fragment);
  EXPECT_EQ(later_packet->header_size, 48) << "the middle of a packet is no header";
  EXPECT_FALSE(later_packet->tcp());
}

TEST(IpPacket, RefusesAnIpv6FragmentThatIsNoMultipleOfEight_C03) {
  EXPECT_FALSE(parse_ip_packet(with_extensions(44, {extension(17, 0x0001)}, counting_bytes(63))));
  EXPECT_TRUE(parse_ip_packet(with_extensions(44, {extension(17, 0x0008)}, counting_bytes(63))));
}

TEST(IpPacket, HidesTheTransportBehindMoreThanEightExtensionHeaders_C03) {
  const Packet tcp = tcp_packet(false, {});
  std::vector<Packet> chain(kIpv6ExtensionsMax - 1, extension(60));
  chain.push_back(extension(ip_protocol::kTcp));
  const Packet eight = with_extensions(60, chain, Bytes(tcp).subspan(kIpv6HeaderSize));
  chain.insert(chain.begin(), extension(60));
  const Packet nine = with_extensions(60, chain, Bytes(tcp).subspan(kIpv6HeaderSize));

  const auto seen = parse_ip_packet(eight);
  const auto hidden = parse_ip_packet(nine);

  ASSERT_TRUE(seen && hidden);
  EXPECT_TRUE(seen->tcp());
  EXPECT_FALSE(hidden->tcp());
  EXPECT_EQ(hidden->protocol, 60);
}

TEST(IpPacket, RefusesExtensionHeadersThatLeaveThePacket_C02) {
  Packet routing = extension(ip_protocol::kTcp);
  routing[1] = 255;

  EXPECT_FALSE(parse_ip_packet(with_extensions(43, {routing}, counting_bytes(40))));
  EXPECT_FALSE(parse_ip_packet(with_extensions(0, {}))) << "a jumbogram";
}

TEST(IpPacket, ShowsNoTransportHeaderThatContradictsTheLength_C02) {
  for (const bool v4 : {true, false}) {
    const std::size_t transport = v4 ? kIpv4HeaderMin : kIpv6HeaderSize;
    for (std::uint8_t words = 0; words < 16; ++words) {
      Packet bytes = tcp_packet(v4, counting_bytes(10));
      bytes[transport + 12] = static_cast<std::uint8_t>(words << 4);
      const auto packet = parse_ip_packet(bytes);
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->tcp().has_value(), words >= 5 && words <= 7) << int{words};
    }
    for (const std::uint16_t length :
         std::initializer_list<std::uint16_t>{0, 7, 8, 18, 19, 0xffff}) {
      Packet bytes = udp_packet(v4, counting_bytes(10));
      store_be16(bytes.data() + transport + 4, length);
      const auto packet = parse_ip_packet(bytes);
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->udp().has_value(), length >= 8 && length <= 18) << length;
    }
    for (std::size_t size = 0; size < kTcpHeaderMin; ++size) {
      const Packet tcp = test::ip_packet(v4, ip_protocol::kTcp, counting_bytes(size));
      const Packet udp = test::ip_packet(v4, ip_protocol::kUdp, counting_bytes(size % 8));
      EXPECT_FALSE(parse_ip_packet(tcp)->tcp());
      EXPECT_FALSE(parse_ip_packet(udp)->udp());
    }
  }
}

}  // namespace
}  // namespace ringway
