#include "tun/vnet_header.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <vector>

namespace ringway {
namespace {

constexpr std::size_t kPacketSize = 1500;
using Raw = std::array<std::uint8_t, kVnetHeaderSize>;

/// A header in front of a packet of kPacketSize bytes.
std::vector<std::uint8_t> frame_of(const Raw& raw, std::size_t packet_size = kPacketSize) {
  std::vector<std::uint8_t> frame(raw.begin(), raw.end());
  frame.resize(kVnetHeaderSize + packet_size);
  return frame;
}

std::vector<std::uint8_t> frame_of(const VnetHeader& header,
                                   std::size_t packet_size = kPacketSize) {
  Raw raw{};
  write_vnet_header(raw, header);
  return frame_of(raw, packet_size);
}

void expect_refused(const std::vector<std::uint8_t>& frame, const char* what) {
  const auto header = parse_vnet_header(frame);
  ASSERT_FALSE(header) << what;
  EXPECT_EQ(header.error(), Drop::BadVnetHeader) << what;
}

TEST(VnetHeader, ReadsWhatTheKernelWritesForTcpSegmentation) {
  if constexpr (std::endian::native != std::endian::little) GTEST_SKIP() << "little-endian vector";
  // As read from a TUN with TSO: NEEDS_CSUM, TCPV4 with ECN, 52 header bytes, 1448 a segment.
  const Raw raw = {0x01, 0x81, 0x34, 0x00, 0xa8, 0x05, 0x14, 0x00, 0x10, 0x00};

  const auto header = parse_vnet_header(frame_of(raw));

  ASSERT_TRUE(header);
  EXPECT_TRUE(header->needs_checksum);
  EXPECT_EQ(header->gso_type, GsoType::TcpV4);
  EXPECT_TRUE(header->has_cwr);
  EXPECT_EQ(header->header_size, 52);
  EXPECT_EQ(header->gso_size, 1448);
  EXPECT_EQ(header->checksum_start, 20);
  EXPECT_EQ(header->checksum_offset, 16);
  Raw written{};
  write_vnet_header(written, *header);
  EXPECT_EQ(written, raw);
}

TEST(VnetHeader, SurvivesTheRoundTripForEveryKind) {
  for (const GsoType type : {GsoType::None, GsoType::TcpV4, GsoType::TcpV6, GsoType::UdpL4}) {
    const VnetHeader given{.needs_checksum = true,
                           .gso_type = type,
                           .header_size = 60,
                           .gso_size = 1400,
                           .checksum_start = 40,
                           .checksum_offset = 6};

    const auto header = parse_vnet_header(frame_of(given));

    ASSERT_TRUE(header);
    EXPECT_TRUE(header->needs_checksum);
    EXPECT_EQ(header->gso_type, type);
    EXPECT_FALSE(header->has_cwr);
    EXPECT_EQ(header->gso_size, 1400);
    EXPECT_EQ(header->checksum_start, 40);
    EXPECT_EQ(header->checksum_offset, 6);
  }
}

TEST(VnetHeader, RefusesEveryTruncation_F01) {
  const Raw raw{};
  for (std::size_t size = 0; size < kVnetHeaderSize; ++size) {
    EXPECT_FALSE(parse_vnet_header(Bytes(raw).first(size))) << size;
  }
  EXPECT_TRUE(parse_vnet_header(raw)) << "an empty packet is the next parser's to refuse";
}

TEST(VnetHeader, RefusesKindsOfSegmentationItDoesNotKnow_F01) {
  for (unsigned type = 0; type < 256; ++type) {
    Raw raw{};
    raw[1] = static_cast<std::uint8_t>(type);
    raw[4] = raw[5] = 1;
    const unsigned plain = type & 0x7f;
    const bool known = plain == 0 || plain == 1 || plain == 4 || plain == 5;
    EXPECT_EQ(parse_vnet_header(frame_of(raw)).has_value(), known) << type;
  }
}

TEST(VnetHeader, RefusesSegmentationWithoutASegmentSize_F01) {
  expect_refused(frame_of(VnetHeader{.gso_type = GsoType::TcpV4, .gso_size = 0}), "gso_size 0");
}

TEST(VnetHeader, RefusesAChecksumBeyondThePacket_F01) {
  const auto with = [](std::uint16_t start, std::uint16_t offset) {
    return frame_of(
        VnetHeader{.needs_checksum = true, .checksum_start = start, .checksum_offset = offset});
  };
  EXPECT_TRUE(parse_vnet_header(with(1482, 16)));
  expect_refused(with(1483, 16), "one byte too far");
  expect_refused(with(0xffff, 0xffff), "sum of both beyond 16 bits");
  Raw unused{};
  unused.fill(0xff);
  unused[0] = unused[1] = 0;
  EXPECT_TRUE(parse_vnet_header(frame_of(unused))) << "not asked for, so not looked at";
}

TEST(VnetHeader, RefusesPacketsBeyond64KiB_F01) {
  EXPECT_TRUE(parse_vnet_header(frame_of(VnetHeader{}, 65535)));
  expect_refused(frame_of(VnetHeader{}, 65536), "one byte too many");
}

TEST(VnetHeader, NeverVouchesForAPacket_F03) {
  Raw raw{};
  raw[0] = 0x02;  // VIRTIO_NET_HDR_F_DATA_VALID.
  const auto header = parse_vnet_header(frame_of(raw));
  ASSERT_TRUE(header);
  EXPECT_FALSE(header->needs_checksum);

  Raw written{};
  write_vnet_header(written, *header);

  EXPECT_EQ(written, Raw{});
}

}  // namespace
}  // namespace ringway
