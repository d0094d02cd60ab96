#include "tun/coalescer.h"

#include <gtest/gtest.h>

#include "tests/tun/coalescer_flows.h"

namespace ringway {
namespace {

using test::add_all;
using test::coalesce;
using test::counting_bytes;
using test::expect_apart;
using test::expect_untouched;
using test::Packet;
using test::Packets;
using test::TcpFlow;
using test::udp_flow;

constexpr std::uint8_t kAck = tcp_flag::kAck;

TEST(Coalescer, MergesTcpOfBothFamilies) {
  for (const bool v4 : {true, false}) {
    TcpFlow flow(v4);
    Packets packets;
    for (int i = 0; i < 10; ++i) packets.push_back(flow.next(1388));
    packets.push_back(flow.next(500));

    const auto frames = coalesce(packets);

    ASSERT_EQ(frames.size(), 1u);
    const auto ip = parse_ip_packet(frames[0].packet);
    ASSERT_TRUE(ip);
    EXPECT_EQ(ip->total_length(), (v4 ? 20u : 40u) + 32 + 10 * 1388 + 500);
    EXPECT_EQ(frames[0].header.gso_type, v4 ? GsoType::TcpV4 : GsoType::TcpV6);
    EXPECT_TRUE(frames[0].header.needs_checksum);
    EXPECT_EQ(frames[0].header.gso_size, 1388);
    EXPECT_EQ(frames[0].header.header_size, (v4 ? 20 : 40) + 32);
    EXPECT_EQ(frames[0].header.checksum_start, v4 ? 20 : 40);
    EXPECT_EQ(frames[0].header.checksum_offset, 16);
    EXPECT_EQ(test::cut(frames), packets);
  }
}

TEST(Coalescer, MergesUdpOfBothFamilies) {
  for (const bool v4 : {true, false}) {
    Packets packets = udp_flow(v4, 20);
    packets.back() = test::udp_packet(v4, counting_bytes(7), {},
                                      {.identification = static_cast<std::uint16_t>(0x1234 + 19)});

    const auto frames = coalesce(packets);

    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].header.gso_type, GsoType::UdpL4);
    EXPECT_EQ(frames[0].header.gso_size, 1200);
    EXPECT_EQ(frames[0].header.checksum_offset, 6);
    EXPECT_EQ(test::cut(frames), packets);
  }
}

TEST(Coalescer, LeavesPayloadsWhereTheyLie) {
  TcpFlow flow(true);
  const Packets packets = {flow.next(1000), flow.next(1000), flow.next(1000)};
  Coalescer coalescer({});
  add_all(coalescer, packets);
  std::array<Bytes, Coalescer::kGatherMax> spans;

  const auto gather = coalescer.gather(0, spans);

  ASSERT_EQ(gather.size(), 4u);
  EXPECT_EQ(gather[0].size(), kVnetHeaderSize + 52);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(gather[i + 1].data(), packets[i].data() + 52);
}

TEST(Coalescer, KeepsSeveralFlowsOpen) {
  std::vector<TcpFlow> flows;
  for (std::uint16_t i = 0; i < Coalescer::kFlowsMax; ++i) {
    flows.emplace_back(i % 2 == 0, static_cast<std::uint16_t>(1000 + i));
  }
  Packets packets;
  for (int round = 0; round < 5; ++round) {
    for (TcpFlow& flow : flows) packets.push_back(flow.next(1200));
  }

  EXPECT_EQ(coalesce(packets).size(), flows.size());
}

TEST(Coalescer, ClosesTheOldestFlowForOneTooMany) {
  std::vector<TcpFlow> flows;
  for (std::uint16_t i = 0; i <= Coalescer::kFlowsMax; ++i) {
    flows.emplace_back(true, static_cast<std::uint16_t>(1000 + i));
  }
  Packets packets;
  for (TcpFlow& flow : flows) packets.push_back(flow.next(1200));
  packets.push_back(flows[1].next(1200));
  packets.push_back(flows[0].next(1200));

  const auto frames = coalesce(packets);

  EXPECT_EQ(frames.size(), flows.size() + 1);
  EXPECT_TRUE(frames[1].header.is_gso());
  EXPECT_FALSE(frames[0].header.is_gso());
}

TEST(Coalescer, EndsATrainWithPsh) {
  TcpFlow flow(true);
  const Packets packets = {flow.next(1200), flow.next_with_flags(1200, kAck | tcp_flag::kPsh),
                           flow.next(1200), flow.next(1200)};

  const auto frames = coalesce(packets);

  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(parse_ip_packet(frames[0].packet)->tcp()->flags, kAck | tcp_flag::kPsh);
  EXPECT_EQ(parse_ip_packet(frames[1].packet)->tcp()->flags, kAck);
  EXPECT_EQ(test::cut(frames), packets);
}

TEST(Coalescer, StartsNoTrainWithPsh) {
  TcpFlow flow(true);
  const Packet first = flow.next_with_flags(1200, kAck | tcp_flag::kPsh);
  expect_apart(first, flow.next(1200), "PSH first");
}

TEST(Coalescer, EndsATrainWithASmallerPacket) {
  TcpFlow flow(true);
  const Packets packets = {flow.next(1200), flow.next(1199), flow.next(1199)};

  const auto frames = coalesce(packets);

  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(test::cut(frames), packets);
}

TEST(Coalescer, DoesNotMergeALargerPacket) {
  TcpFlow flow(true);
  const Packet first = flow.next(1199);
  expect_apart(first, flow.next(1200), "larger");
}

TEST(Coalescer, StopsAt64KiBAndAtTheMostSegments) {
  TcpFlow large(true);
  TcpFlow small(true, 2);
  Packets packets;
  for (int i = 0; i < 60; ++i) packets.push_back(large.next(1388));
  for (std::size_t i = 0; i < Coalescer::kSegmentsMax + 3; ++i) packets.push_back(small.next(10));

  const auto frames = coalesce(packets);

  ASSERT_EQ(frames.size(), 4u);
  EXPECT_EQ(frames[0].packet.size(), 52 + 47 * 1388u);
  EXPECT_EQ(frames[2].packet.size(), 52 + Coalescer::kSegmentsMax * 10);
  EXPECT_EQ(test::cut(frames), packets);
}

TEST(Coalescer, KeepsWhatIsOutOfOrderInItsOrder) {
  TcpFlow flow(true);
  const Packet a = flow.next(1200);
  const Packet b = flow.next(1200);
  const Packet c = flow.next(1200);
  const Packet d = flow.next(1200);
  const Packets packets = {a, c, d, b, b};

  const auto frames = coalesce(packets);

  EXPECT_EQ(frames.size(), 4u);
  EXPECT_EQ(test::cut(frames), packets);
}

TEST(Coalescer, DoesNotOvertakeAPacketOfTheFlowThatPassesThrough) {
  TcpFlow flow(true);
  const Packet first = flow.next(1200);
  const Packet ack = flow.next(0);
  const Packet second = flow.next(1200);
  const Packets udp = udp_flow(true, 3);
  Packet fragment = udp[1];
  store_be16(fragment.data() + 6, 0x0001);

  expect_untouched({first, ack, second}, "acknowledgement between");
  expect_untouched({udp[0], fragment, udp[2]}, "fragment between");
}

TEST(Coalescer, AsksForConsecutiveIdentificationsWhereTheyMatter) {
  TcpFlow flow(true);
  flow.ip.v4_fragment_word = 0;
  flow.ip.identification = 0xffff;
  const Packets packets = {flow.next(1200), flow.next(1200)};
  EXPECT_EQ(coalesce(packets).size(), 1u);
  EXPECT_EQ(test::cut(coalesce(packets)), packets);
  const Packet first = flow.next(1200);
  ++flow.ip.identification;
  expect_apart(first, flow.next(1200), "gap");
}

TEST(Coalescer, IgnoresIdentificationsThatNobodyMayRead) {
  // RFC 6864 4.1: the identification of a packet that must not be fragmented has no meaning.
  TcpFlow flow(true);
  flow.ip.identification = 0;
  const Packet first = flow.next(1200);
  flow.ip.identification = 0;
  const Packet second = flow.next(1200);

  const auto frames = coalesce({first, second});

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(test::without_atomic_identification(test::cut(frames)[1]),
            test::without_atomic_identification(second));
}

TEST(Coalescer, RefusesMorePacketsThanABatchHasAndStartsAfresh) {
  Coalescer coalescer({});
  TcpFlow flow(true);
  Packets packets;
  for (std::size_t i = 0; i < Coalescer::kPacketsMax; ++i) packets.push_back(flow.next(100));
  add_all(coalescer, packets);
  EXPECT_EQ(coalescer.packet_count(), Coalescer::kPacketsMax);
  const Packet more = flow.next(100);
  EXPECT_FALSE(coalescer.add(*parse_ip_packet(more)));
  EXPECT_EQ(coalescer.frame_count(), Coalescer::kPacketsMax / Coalescer::kSegmentsMax);

  coalescer.clear();

  EXPECT_EQ(coalescer.frame_count(), 0u);
  ASSERT_TRUE(coalescer.add(*parse_ip_packet(more)));
  EXPECT_EQ(test::cut(test::frames_of(coalescer)), Packets{more});
}

TEST(Coalescer, NeverVouchesForAPacket_F03) {
  TcpFlow flow(true);
  const Packets packets = {flow.next(1200), flow.next(1200), flow.next(0)};
  Coalescer coalescer({});
  add_all(coalescer, packets);
  std::array<Bytes, Coalescer::kGatherMax> spans;
  EXPECT_EQ(coalescer.gather(0, spans)[0][0], 0x01);
  EXPECT_EQ(coalescer.gather(1, spans)[0][0], 0x00);
}

}  // namespace
}  // namespace ringway
