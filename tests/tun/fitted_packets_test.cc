#include "tun/fitted_packets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tun/super_packet.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::Packet;
using test::reference_transport_checksum;
using test::SuperPacket;
using test::tcp_super_packet;
using test::udp_super_packet;

struct Fitted {
  std::vector<Packet> packets;
  std::size_t cut = 0;
  std::size_t fragments = 0;
};

Fitted fitted(SuperPacket super, std::size_t limit) {
  const auto ip = parse_ip_packet(super.packet);
  const auto segmenter = Segmenter::start(super.header, *ip);
  EXPECT_TRUE(segmenter.has_value());
  EXPECT_TRUE(FittedPackets::can_fit(*segmenter, limit));
  FittedPackets packets(*segmenter, super.packet, limit);
  Fitted result;
  while (packets.next_size() > 0) {
    const std::size_t size = packets.next_size();
    Packet out(size);
    EXPECT_EQ(packets.write_next(out).size(), size);
    EXPECT_LE(size, limit);
    result.packets.push_back(out);
  }
  result.cut = packets.cut_count();
  result.fragments = packets.fragment_count();
  return result;
}

/// Puts fragments that follow one another together again.
std::vector<Packet> reassembled(const std::vector<Packet>& packets) {
  std::vector<Packet> whole;
  for (const Packet& packet : packets) {
    const auto ip = parse_ip_packet(packet);
    EXPECT_TRUE(ip.has_value());
    if (!ip->is_later_fragment) {
      whole.push_back(packet);
      continue;
    }
    whole.back().insert(whole.back().end(), packet.begin() + 20, packet.end());
  }
  for (Packet& packet : whole) {
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    store_be16(packet.data() + 6, 0);
  }
  return whole;
}

SuperPacket alone(const Packet& packet) { return {.header = {}, .packet = packet}; }

TEST(FittedPackets, FragmentsAPacketThatIsTooLarge) {
  const Packet packet = test::udp_packet(true, counting_bytes(1472), {}, {.v4_fragment_word = 0});

  const Fitted result = fitted(alone(packet), 1300);

  EXPECT_EQ(result.packets.size(), 2u);
  EXPECT_EQ(result.cut, 1u);
  EXPECT_EQ(result.fragments, 2u);
}

// A fragment has no transport header of its own, so that the checksum must be right before.
TEST(FittedPackets, FinishesTheChecksumBeforeItFragments) {
  Packet packet = test::udp_packet(true, counting_bytes(1472), {}, {.v4_fragment_word = 0});
  const Packet finished = packet;
  test::leave_checksum_unfinished(packet, 20, test::kUdpChecksum);
  const SuperPacket given{
      .header = {.needs_checksum = true, .checksum_start = 20, .checksum_offset = 6},
      .packet = packet};

  const Fitted result = fitted(given, 1300);

  const std::vector<Packet> whole = reassembled(result.packets);
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_TRUE(std::equal(whole[0].begin() + 20, whole[0].end(), finished.begin() + 20));
}

TEST(FittedPackets, CutsASuperPacketIntoSegmentsAndTheseIntoFragments) {
  const test::IpFields may_fragment{.v4_fragment_word = 0};
  const SuperPacket super = udp_super_packet(true, counting_bytes(10'000), 1400, may_fragment);

  const Fitted result = fitted(super, 1000);

  // Seven of 1,400 bytes in two pieces each, and 200 bytes that fit.
  EXPECT_EQ(result.packets.size(), 15u);
  EXPECT_EQ(result.cut, 7u);
  EXPECT_EQ(result.fragments, 14u);
  Packet payload;
  for (const Packet& packet : reassembled(result.packets)) {
    EXPECT_EQ(load_be16(packet.data() + 26), reference_transport_checksum(packet, 20, 26));
    payload.insert(payload.end(), packet.begin() + 28, packet.end());
  }
  EXPECT_EQ(payload, counting_bytes(10'000));
}

TEST(FittedPackets, CutsTcpThatAllowsIt) {
  const SuperPacket super =
      tcp_super_packet(true, counting_bytes(5000), 1460, {}, {.v4_fragment_word = 0});

  const Fitted result = fitted(super, 1400);

  Packet payload;
  for (const Packet& packet : reassembled(result.packets)) {
    EXPECT_EQ(load_be16(packet.data() + 36), reference_transport_checksum(packet, 20, 36));
    payload.insert(payload.end(), packet.begin() + 40, packet.end());
  }
  EXPECT_EQ(payload, counting_bytes(5000));
}

TEST(FittedPackets, LeavesSegmentsThatFitWhole) {
  const SuperPacket super = tcp_super_packet(false, counting_bytes(3000), 1000);
  const auto segmenter = Segmenter::start(super.header, *parse_ip_packet(super.packet));
  SuperPacket copy = super;
  Segmenter moved = *segmenter;
  moved.note_moved(copy.packet);
  FittedPackets packets(moved, copy.packet, 1280);
  std::size_t count = 0;
  while (packets.next_size() > 0) {
    Packet out(packets.next_size());
    packets.write_next(out);
    ++count;
  }

  EXPECT_EQ(count, 3u);
  EXPECT_EQ(packets.fragment_count(), 0u);
}

TEST(FittedPackets, AreNotMadeOfWhatTheSenderForbidsToCut) {
  const SuperPacket v4 = udp_super_packet(true, counting_bytes(10'000), 1400);
  const SuperPacket v6 = udp_super_packet(false, counting_bytes(10'000), 1400);
  for (const SuperPacket& super : {v4, v6}) {
    const auto segmenter = Segmenter::start(super.header, *parse_ip_packet(super.packet));
    EXPECT_FALSE(FittedPackets::can_fit(*segmenter, 1300));
  }
}

}  // namespace
}  // namespace ringway
