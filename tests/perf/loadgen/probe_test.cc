#include "perf/src/loadgen/probe.h"

#include <gtest/gtest.h>

#include <vector>

#include "tun/checksum.h"
#include "tun/ip_packet.h"

namespace ringway::loadgen {
namespace {

const ProbePath kV4{.from = *IpAddress::parse("10.8.0.2"), .to = *IpAddress::parse("10.9.0.2")};
const ProbePath kV6{.from = *IpAddress::parse("fd00:8::2"), .to = *IpAddress::parse("fd00:9::2")};

const Probe kProbe{.run = 7,
                   .client = 8,
                   .answers = 9,
                   .answer = 10,
                   .up_number = 11,
                   .down_number = 12,
                   .sent_at = 13,
                   .echoed_at = 14,
                   .up_received = 15,
                   .up_reordered = 16,
                   .up_duplicated = 17};

std::vector<std::uint8_t> packet_of(const ProbePath& path, std::size_t size) {
  std::vector<std::uint8_t> packet(size);
  write_probe_packet(path, kProbe, packet);
  return packet;
}

TEST(Probe, ComesBackWholeOverEitherFamily) {
  for (const ProbePath& path : {kV4, kV6}) {
    const auto read = read_probe_packet(packet_of(path, 200));

    ASSERT_TRUE(read);
    EXPECT_EQ(read->run, 7u);
    EXPECT_EQ(read->client, 8u);
    EXPECT_EQ(read->answers, 9u);
    EXPECT_EQ(read->answer, 10u);
    EXPECT_EQ(read->up_number, 11u);
    EXPECT_EQ(read->down_number, 12u);
    EXPECT_EQ(read->sent_at, 13);
    EXPECT_EQ(read->echoed_at, 14);
    EXPECT_EQ(read->up_received, 15u);
    EXPECT_EQ(read->up_reordered, 16u);
    EXPECT_EQ(read->up_duplicated, 17u);
  }
}

TEST(Probe, TravelsInAPacketThatIsConsistent) {
  for (const ProbePath& path : {kV4, kV6}) {
    const auto bytes = packet_of(path, 301);
    const auto packet = parse_ip_packet(bytes);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->bytes.size(), 301u);
    EXPECT_EQ(packet->protocol, ip_protocol::kUdp);

    const std::size_t header = probe_overhead(path) - kUdpHeaderSize;
    const std::size_t addresses = 2 * path.from.wire().size();
    ChecksumSum sum = sum_of({.addresses = Bytes(bytes).subspan(header - addresses, addresses),
                              .protocol = ip_protocol::kUdp,
                              .length = static_cast<std::uint32_t>(301 - header)});
    sum.add(Bytes(bytes).subspan(header));
    EXPECT_TRUE(sum.verifies());
    if (path.from.is_v4()) {
      EXPECT_EQ(checksum_of(Bytes(bytes).first(20)), 0);
    }
  }
}

TEST(Probe, IsNotReadFromAnythingElse) {
  auto other = packet_of(kV4, 100);
  other[9] = ip_protocol::kTcp;
  EXPECT_FALSE(read_probe_packet(other));

  auto foreign = packet_of(kV6, 200);
  foreign[48] ^= 1;
  EXPECT_FALSE(read_probe_packet(foreign));

  const auto whole = packet_of(kV4, 88);
  EXPECT_TRUE(read_probe_packet(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_probe_packet(Bytes(whole).first(size))) << size;
  }
}

}  // namespace
}  // namespace ringway::loadgen
