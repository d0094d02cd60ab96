#include "tun/segmenter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seeded_random.h"
#include "tests/tun/super_packet.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::kTcpChecksum;
using test::kUdpChecksum;
using test::leave_checksum_unfinished;
using test::Packet;
using test::SuperPacket;
using test::tcp_super_packet;
using test::transport_of;
using test::udp_super_packet;

/// The same without a copy.
std::vector<Packet> segments_cut_in_place(SuperPacket super) {
  const auto ip = parse_ip_packet(super.packet);
  if (!ip) return {};
  auto segmenter = Segmenter::start(super.header, *ip);
  if (!segmenter) return {};
  std::vector<Packet> packets;
  while (segmenter->left_count() > 0) {
    const std::size_t size = segmenter->next_size();
    const MutableBytes segment = segmenter->next_in_place(super.packet);
    EXPECT_EQ(segment.size(), size);
    packets.emplace_back(segment.begin(), segment.end());
    // What was sealed may be gone, but for the first packet's headers.
    const std::size_t headers_size = packets.size() > 1 ? 0 : size - super.header.gso_size;
    if (segmenter->left_count() > 0) {
      std::ranges::fill(segment.subspan(headers_size), std::uint8_t{0xee});
    }
  }
  return packets;
}

std::vector<Packet> segments_of(const SuperPacket& super) {
  const auto ip = parse_ip_packet(super.packet);
  if (!ip) return {};
  auto segmenter = Segmenter::start(super.header, *ip);
  if (!segmenter) return {};
  std::vector<Packet> packets;
  while (segmenter->next_size() > 0) {
    Packet out(segmenter->next_size() + 8, 0xee);
    const MutableBytes written = segmenter->write_next(out);
    EXPECT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(written.size()), out.end(),
                            [](std::uint8_t byte) { return byte == 0xee; }));
    packets.emplace_back(written.begin(), written.end());
  }
  EXPECT_EQ(packets.size(), segmenter->packet_count());
  if (segmenter->can_cut_in_place()) {
    EXPECT_EQ(packets, segments_cut_in_place(super));
  }
  return packets;
}

/// The reference: each segment is a packet of its own, built from the fields it should have.
std::vector<Packet> expected_tcp_segments(bool v4, Bytes payload, std::size_t gso_size,
                                          test::TcpFields tcp, test::IpFields ip) {
  std::vector<Packet> packets;
  const std::uint8_t flags = tcp.flags;
  for (std::size_t at = 0; at == 0 || at < payload.size(); at += gso_size) {
    const Bytes part = payload.subspan(at, std::min(gso_size, payload.size() - at));
    const bool last = at + gso_size >= payload.size();
    unsigned cleared = last ? 0u : unsigned{tcp_flag::kFin} | tcp_flag::kPsh;
    if (at > 0) cleared |= tcp_flag::kCwr;
    tcp.flags = static_cast<std::uint8_t>(flags & ~cleared);
    packets.push_back(test::tcp_packet(v4, part, tcp, ip));
    tcp.sequence += static_cast<std::uint32_t>(gso_size);
    ++ip.identification;
  }
  return packets;
}

std::vector<Packet> expected_udp_segments(bool v4, Bytes payload, std::size_t gso_size,
                                          test::IpFields ip = {}) {
  std::vector<Packet> packets;
  for (std::size_t at = 0; at == 0 || at < payload.size(); at += gso_size) {
    packets.push_back(
        test::udp_packet(v4, payload.subspan(at, std::min(gso_size, payload.size() - at)), {}, ip));
    ++ip.identification;
  }
  return packets;
}

void expect_refused(const SuperPacket& super, const char* what) {
  const auto ip = parse_ip_packet(super.packet);
  ASSERT_TRUE(ip) << what;
  const auto segmenter = Segmenter::start(super.header, *ip);
  ASSERT_FALSE(segmenter) << what;
  EXPECT_EQ(segmenter.error(), Drop::BadVnetHeader) << what;
}

TEST(Segmenter, CutsTcpOfBothFamilies) {
  for (const bool v4 : {true, false}) {
    const test::TcpFields tcp{
        .flags = tcp_flag::kAck | tcp_flag::kPsh | tcp_flag::kFin | tcp_flag::kCwr | tcp_flag::kEce,
        .options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}};
    const test::IpFields ip{.traffic_class = 0x2a, .identification = 0xfffe};
    for (const std::size_t size : {1u, 1399u, 1400u, 1401u, 2800u, 14001u, 65000u}) {
      const Packet payload = counting_bytes(size);
      EXPECT_EQ(segments_of(tcp_super_packet(v4, payload, 1400, tcp, ip)),
                expected_tcp_segments(v4, payload, 1400, tcp, ip))
          << size;
    }
  }
}

TEST(Segmenter, BringsTheSequenceNumberRound) {
  const test::TcpFields tcp{.sequence = 0xffff'ff00};
  const Packet payload = counting_bytes(3000);
  EXPECT_EQ(segments_of(tcp_super_packet(true, payload, 1000, tcp)),
            expected_tcp_segments(true, payload, 1000, tcp, {}));
}

TEST(Segmenter, CutsUdpOfBothFamilies) {
  for (const bool v4 : {true, false}) {
    for (const std::size_t size : {1u, 1200u, 1201u, 12000u, 65000u}) {
      const Packet payload = counting_bytes(size);
      EXPECT_EQ(segments_of(udp_super_packet(v4, payload, 1200)),
                expected_udp_segments(v4, payload, 1200))
          << size;
    }
  }
}

TEST(Segmenter, MakesChecksumsAlsoWhereTheKernelLeftNoneUnfinished) {
  for (const bool v4 : {true, false}) {
    const Packet payload = counting_bytes(5000);
    SuperPacket tcp = tcp_super_packet(v4, payload, 1300);
    SuperPacket udp = udp_super_packet(v4, payload, 1300);
    tcp.header.needs_checksum = udp.header.needs_checksum = false;
    EXPECT_EQ(segments_of(tcp), expected_tcp_segments(v4, payload, 1300, {}, {}));
    EXPECT_EQ(segments_of(udp), expected_udp_segments(v4, payload, 1300));
  }
}

TEST(Segmenter, LeavesOutAUdpChecksumThatWasLeftOut) {
  SuperPacket super = udp_super_packet(true, counting_bytes(3000), 1000);
  super.header.needs_checksum = false;
  store_be16(super.packet.data() + 26, 0);

  for (const Packet& packet : segments_of(super)) EXPECT_EQ(load_be16(packet.data() + 26), 0);
}

TEST(Segmenter, NeverSendsAUdpChecksumOfZero) {
  // The last two bytes are chosen so that everything sums up to all ones.
  Packet payload = counting_bytes(100);
  store_be16(payload.data() + 98, 0);
  const Packet without = test::udp_packet(true, payload);
  store_be16(payload.data() + 98, load_be16(without.data() + 26));

  const auto packets = segments_of(udp_super_packet(true, payload, 1000));

  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(load_be16(packets[0].data() + 26), 0xffff);
}

// To a receiver both are the same number; to who merges such packets again they are not.
TEST(Segmenter, SendsATcpChecksumOfZeroAsItIs) {
  Packet payload = counting_bytes(100);
  store_be16(payload.data() + 98, 0);
  const Packet without = test::tcp_packet(true, payload);
  store_be16(payload.data() + 98, load_be16(without.data() + 36));
  SuperPacket super = tcp_super_packet(true, payload, 1);
  super.header.gso_type = GsoType::None;

  const auto packets = segments_of(super);

  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(load_be16(packets[0].data() + 36), 0);
}

TEST(Segmenter, UsesTheFinalDestinationBehindARoutingHeader) {
  const Packet payload = counting_bytes(2500);
  const Packet plain = test::tcp_packet(false, payload);
  SuperPacket super = tcp_super_packet(false, payload, 1000);
  const Packet routing = {ip_protocol::kTcp, 0, 4, 1, 0, 0, 0, 0};
  super.packet.insert(super.packet.begin() + 40, routing.begin(), routing.end());
  super.packet[6] = 43;
  super.packet[39] = 0x77;  // Not the address that the sender summed.
  store_be16(super.packet.data() + 4, static_cast<std::uint16_t>(super.packet.size() - 40));
  super.header.checksum_start = 48;

  const auto packets = segments_of(super);

  const auto expected = expected_tcp_segments(false, payload, 1000, {}, {});
  ASSERT_EQ(packets.size(), expected.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_TRUE(std::equal(packets[i].begin() + 48, packets[i].end(), expected[i].begin() + 40,
                           expected[i].end()));
  }
}

TEST(Segmenter, PassesAWholePacketOn) {
  const Packet packet = test::tcp_packet(true, counting_bytes(777));
  EXPECT_EQ(segments_of({.packet = packet}), std::vector<Packet>{packet});
}

TEST(Segmenter, FinishesTheChecksumOfASinglePacket) {
  for (const bool v4 : {true, false}) {
    SuperPacket tcp = tcp_super_packet(v4, counting_bytes(777), 1);
    SuperPacket udp = udp_super_packet(v4, counting_bytes(778), 1);
    tcp.header.gso_type = udp.header.gso_type = GsoType::None;
    EXPECT_EQ(segments_of(tcp), std::vector<Packet>{test::tcp_packet(v4, counting_bytes(777))});
    EXPECT_EQ(segments_of(udp), std::vector<Packet>{test::udp_packet(v4, counting_bytes(778))});
  }
}

TEST(Segmenter, LeavesOutWhatLiesBehindThePacket) {
  SuperPacket super = tcp_super_packet(true, counting_bytes(2000), 1000);
  super.packet.resize(super.packet.size() + 100);
  EXPECT_EQ(segments_of(super), expected_tcp_segments(true, counting_bytes(2000), 1000, {}, {}));
}

TEST(Segmenter, RefusesAHeaderThatContradictsThePacket_F01) {
  const Packet payload = counting_bytes(3000);
  SuperPacket super = tcp_super_packet(true, payload, 1000);
  super.header.gso_type = GsoType::TcpV6;
  expect_refused(super, "TCPV6 over IPv4");
  super = tcp_super_packet(false, payload, 1000);
  super.header.gso_type = GsoType::TcpV4;
  expect_refused(super, "TCPV4 over IPv6");
  super = tcp_super_packet(true, payload, 1000);
  super.header.gso_type = GsoType::UdpL4;
  expect_refused(super, "UDP_L4 over TCP");
  super = udp_super_packet(true, payload, 1000);
  super.header.gso_type = GsoType::TcpV4;
  expect_refused(super, "TCPV4 over UDP");
  super = tcp_super_packet(true, payload, 0);
  expect_refused(super, "no segment size");
  super = tcp_super_packet(true, payload, 1000);
  super.header.checksum_start = 24;
  expect_refused(super, "checksum starts elsewhere");
  super = tcp_super_packet(true, payload, 1000);
  super.header.checksum_offset = 6;
  expect_refused(super, "checksum stands elsewhere");
}

TEST(Segmenter, RefusesPacketsThatCannotBeCut_F01) {
  const Packet payload = counting_bytes(3000);
  SuperPacket super = tcp_super_packet(true, payload, 1000);
  store_be16(super.packet.data() + 6, 0x2000);
  super.packet.resize(super.packet.size() / 8 * 8 + 4);
  store_be16(super.packet.data() + 2, static_cast<std::uint16_t>(super.packet.size()));
  expect_refused(super, "fragment");
  super = tcp_super_packet(true, payload, 1000);
  super.packet[32] = 0x40;
  expect_refused(super, "TCP header of 16 bytes");
  super = udp_super_packet(true, payload, 1000);
  store_be16(super.packet.data() + 24, 3007);
  expect_refused(super, "UDP length below the packet's");
  super = tcp_super_packet(true, counting_bytes(Segmenter::kSegmentsMax + 1), 1);
  expect_refused(super, "too many segments");
  EXPECT_EQ(segments_of(tcp_super_packet(true, counting_bytes(Segmenter::kSegmentsMax), 1)).size(),
            Segmenter::kSegmentsMax);
}

TEST(Segmenter, RefusesAChecksumBehindThePacket_F01) {
  SuperPacket super{.header = {.needs_checksum = true},
                    .packet = test::udp_packet(true, counting_bytes(10))};
  super.header.checksum_start = 20;
  super.header.checksum_offset = 17;
  super.packet.resize(super.packet.size() + 50);  // Within the frame, outside of the packet.
  expect_refused(super, "one byte too far");
  super.header.checksum_offset = 16;
  EXPECT_EQ(segments_of(super).size(), 1u);
}

TEST(Segmenter, RefusesAChecksumInTheIpHeader_F01) {
  SuperPacket super{.header = {.needs_checksum = true, .checksum_start = 19},
                    .packet = test::udp_packet(true, counting_bytes(10))};
  expect_refused(super, "the header's last byte");
  super.header.checksum_start = 0;
  expect_refused(super, "the version");
}

bool finish(Packet& packet, const VnetHeader& header) {
  const auto ip = parse_ip_packet(packet);
  return ip && finish_checksum(packet, *ip, header);
}

TEST(FinishChecksum, WorksInPlace) {
  SuperPacket super = udp_super_packet(true, counting_bytes(99), 1);

  EXPECT_TRUE(finish(super.packet, super.header));

  EXPECT_EQ(super.packet, test::udp_packet(true, counting_bytes(99)));
}

TEST(FinishChecksum, DoesNothingUnasked) {
  Packet packet = test::udp_packet(true, counting_bytes(99));
  const Packet before = packet;
  EXPECT_TRUE(finish(packet, {}));
  EXPECT_EQ(packet, before);
}

TEST(FinishChecksum, RefusesAFieldOutsideOfThePayload_F01) {
  Packet packet = test::udp_packet(true, counting_bytes(2));
  const auto refused = [&packet](std::uint16_t start, std::uint16_t offset) {
    return !finish(packet,
                   {.needs_checksum = true, .checksum_start = start, .checksum_offset = offset});
  };
  EXPECT_TRUE(refused(20, 9));
  EXPECT_TRUE(refused(0xffff, 0xffff));
  EXPECT_TRUE(refused(19, 0));
  EXPECT_EQ(packet, test::udp_packet(true, counting_bytes(2)));
  EXPECT_FALSE(refused(20, 8));
}

TEST(Segmenter, AgreesWithTheReferenceForRandomPackets) {
  constexpr std::uint64_t kSeed = 9;
  test::SeededRandom random(kSeed);
  for (int round = 0; round < 300; ++round) {
    const bool v4 = random.happens(0.5);
    Packet payload(random.next() % 20000 + 1);
    random.fill(payload);
    const std::size_t gso_size = random.next() % 3000 + 20;
    test::TcpFields tcp{.sequence = static_cast<std::uint32_t>(random.next()),
                        .flags = static_cast<std::uint8_t>(random.next()),
                        .window = static_cast<std::uint16_t>(random.next()),
                        .options = Packet(random.next() % 11 * 4)};
    random.fill(tcp.options);
    const test::IpFields ip{.identification = static_cast<std::uint16_t>(random.next())};
    const auto size16 = static_cast<std::uint16_t>(gso_size);
    ASSERT_EQ(segments_of(tcp_super_packet(v4, payload, size16, tcp, ip)),
              expected_tcp_segments(v4, payload, gso_size, tcp, ip))
        << "seed " << kSeed << ", round " << round;
    ASSERT_EQ(segments_of(udp_super_packet(v4, payload, size16, ip)),
              expected_udp_segments(v4, payload, gso_size, ip))
        << "seed " << kSeed << ", round " << round;
  }
}

}  // namespace
}  // namespace ringway
