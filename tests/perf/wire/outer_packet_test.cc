#include "perf/src/wire/outer_packet.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tun/ip_packet.h"
#include "tun/segmenter.h"

namespace ringway::wire {
namespace {

OuterPath path(bool v4) {
  const auto address = [&](const char* four, const char* six) {
    return IpAddress::parse(v4 ? four : six).value_or(IpAddress{});
  };
  return {.client = {.address = address("198.18.0.7", "2001:db8:1::7"), .port = 40000},
          .server = {.address = address("192.0.2.1", "2001:db8::1"), .port = 1194}};
}

/// Headers and payload in one piece, as it is written into a network card.
std::vector<std::uint8_t> frame_of(const OuterPath& outer, const OuterLoad& load) {
  std::vector<std::uint8_t> frame(kVnetHeaderSize + 48);
  frame.resize(write_outer_headers(outer, load, frame).size());
  for (std::size_t i = 0; i < load.payload_size; ++i) {
    frame.push_back(static_cast<std::uint8_t>(i * 3));
  }
  return frame;
}

class OuterPacket : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(BothFamilies, OuterPacket, testing::Bool());

TEST_P(OuterPacket, HasHeadersThatFitItsPayload) {
  auto frame = frame_of(path(GetParam()), {.payload_size = 101, .segment_size = 0});
  const auto header = parse_vnet_header(frame);
  const MutableBytes packet = MutableBytes(frame).subspan(kVnetHeaderSize);
  const auto ip = parse_ip_packet(packet);

  ASSERT_TRUE(header && ip);
  EXPECT_FALSE(header->is_gso());
  const auto udp = ip->udp();
  ASSERT_TRUE(udp);
  EXPECT_EQ(ip->source(), path(GetParam()).client.address);
  EXPECT_EQ(ip->destination(), path(GetParam()).server.address);
  EXPECT_EQ(udp->source_port, 40000);
  EXPECT_EQ(udp->destination_port, 1194);
  EXPECT_EQ(udp->payload.size(), 101u);
}

TEST_P(OuterPacket, HasAChecksumThatIsRightOnceItIsFinished) {
  auto frame = frame_of(path(GetParam()), {.payload_size = 101, .segment_size = 0});
  const auto header = parse_vnet_header(frame);
  const MutableBytes packet = MutableBytes(frame).subspan(kVnetHeaderSize);
  const auto ip = parse_ip_packet(packet);
  ASSERT_TRUE(header && ip);

  ASSERT_TRUE(finish_checksum(packet, *ip, *header));

  std::vector<std::uint8_t> addresses(ip->source_bytes().begin(), ip->source_bytes().end());
  addresses.insert(addresses.end(), ip->destination_bytes().begin(), ip->destination_bytes().end());
  ChecksumSum sum = sum_of({.addresses = addresses,
                            .protocol = ip_protocol::kUdp,
                            .length = static_cast<std::uint32_t>(ip->payload().size())});
  sum.add(ip->payload());
  EXPECT_TRUE(sum.verifies());
}

TEST_P(OuterPacket, IsATrainWhenItHasSeveralDatagrams) {
  auto frame = frame_of(path(GetParam()), {.payload_size = 250, .segment_size = 100});
  const auto header = parse_vnet_header(frame);
  const auto ip = parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize));
  ASSERT_TRUE(header && ip);
  EXPECT_EQ(header->gso_type, GsoType::UdpL4);

  auto segmenter = Segmenter::start(*header, *ip);

  ASSERT_TRUE(segmenter);
  EXPECT_EQ(segmenter->packet_count(), 3u);
}

TEST_P(OuterPacket, IsReadBackFromItsHead) {
  const auto frame = frame_of(path(GetParam()), {.payload_size = 250, .segment_size = 100});
  const auto header = parse_vnet_header(frame);
  const Bytes packet = Bytes(frame).subspan(kVnetHeaderSize);
  const std::size_t headers = outer_headers_size(path(GetParam()));

  const auto arrival = read_outer_arrival(*header, packet.first(headers));

  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->from, path(GetParam()).client);
  EXPECT_EQ(arrival->to, path(GetParam()).server);
  EXPECT_EQ(arrival->payload_offset, headers);
  EXPECT_EQ(arrival->payload_size, 250u);
  EXPECT_EQ(arrival->segment_size, 100u);
  EXPECT_EQ(arrival->datagram_count, 3u);
}

TEST_P(OuterPacket, IsNotReadFromLessThanItsHeaders) {
  const auto frame = frame_of(path(GetParam()), {.payload_size = 250, .segment_size = 0});
  const Bytes packet = Bytes(frame).subspan(kVnetHeaderSize);

  for (std::size_t size = 0; size < outer_headers_size(path(GetParam())); ++size) {
    EXPECT_FALSE(read_outer_arrival({}, packet.first(size))) << size;
  }
}

TEST(OuterArrival, IsNoFragmentAndNothingButUdp) {
  const auto frame = frame_of(path(true), {.payload_size = 20, .segment_size = 0});
  std::vector<std::uint8_t> fragment(frame.begin() + kVnetHeaderSize, frame.end());
  std::vector<std::uint8_t> tcp = fragment;
  fragment[6] = 0x20;
  tcp[9] = ip_protocol::kTcp;

  EXPECT_FALSE(read_outer_arrival({}, fragment));
  EXPECT_FALSE(read_outer_arrival({}, tcp));
}

}  // namespace
}  // namespace ringway::wire
