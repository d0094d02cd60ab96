#include "perf/src/wire/inner_packet.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/tun/packets.h"
#include "tun/ip_packet.h"
#include "tun/segmenter.h"

namespace ringway::wire {
namespace {

struct Shape {
  InnerKind kind;
  std::size_t size;
};

class InnerFlowShapes : public testing::TestWithParam<Shape> {
 protected:
  InnerFlow flow_{GetParam().kind,
                  {.source = IpAddress::v4(0x0a080002), .destination = IpAddress::v4(0xcb007102)},
                  GetParam().size};
  std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(65535);
};
INSTANTIATE_TEST_SUITE_P(All, InnerFlowShapes,
                         testing::Values(Shape{InnerKind::Tcp, 1400}, Shape{InnerKind::Tcp, 64},
                                         Shape{InnerKind::Tcp, 61}, Shape{InnerKind::Udp, 1400},
                                         Shape{InnerKind::Udp, 64}, Shape{InnerKind::Udp, 61}));

Stamp stamp_of(std::uint32_t number) {
  return {.client = 3, .sequence = number, .index = number * 7, .block = 1};
}

std::uint16_t right_checksum(Bytes packet, InnerKind kind) {
  const std::size_t field = kind == InnerKind::Tcp ? 36 : 26;
  return test::reference_transport_checksum({packet.begin(), packet.end()}, 20, field);
}

TEST_P(InnerFlowShapes, MakesPacketsWithRightChecksums) {
  for (std::uint32_t i = 0; i < 5; ++i) {
    const MutableBytes packet = flow_.write(stamp_of(i), room_);
    const auto ip = parse_ip_packet(packet);

    ASSERT_TRUE(ip);
    EXPECT_EQ(packet.size(), GetParam().size);
    EXPECT_EQ(test::reference_checksum(packet.first(20)), 0);
    const std::uint16_t checksum =
        GetParam().kind == InnerKind::Tcp ? ip->tcp()->checksum : ip->udp()->checksum;
    EXPECT_EQ(checksum, right_checksum(packet, GetParam().kind));
  }
}

TEST_P(InnerFlowShapes, CutsOneTrainIntoThePacketsThatItWouldHaveMadeSingly) {
  InnerFlow alone = flow_;
  const std::vector<Stamp> stamps = {stamp_of(0), stamp_of(1), stamp_of(2)};
  const auto train = flow_.write_train(stamps, room_);
  const auto ip = parse_ip_packet(train.packet);
  ASSERT_TRUE(ip);
  auto segmenter = Segmenter::start(train.header, *ip);
  ASSERT_TRUE(segmenter);
  ASSERT_EQ(segmenter->packet_count(), 3u);

  for (const Stamp& stamp : stamps) {
    std::vector<std::uint8_t> cut(1500);
    std::vector<std::uint8_t> single(1500);
    const Bytes piece = segmenter->write_next(cut);
    const Bytes packet = alone.write(stamp, single);
    EXPECT_TRUE(std::ranges::equal(piece, packet));
  }
}

TEST_P(InnerFlowShapes, GoesOnWhereItsTrainEnded) {
  InnerFlow alone = flow_;
  (void)flow_.write_train(std::vector<Stamp>{stamp_of(0), stamp_of(1)}, room_);
  (void)alone.write(stamp_of(0), room_);
  (void)alone.write(stamp_of(1), room_);
  std::vector<std::uint8_t> after_train(1500);
  std::vector<std::uint8_t> after_singles(1500);

  const Bytes a = flow_.write(stamp_of(2), after_train);
  const Bytes b = alone.write(stamp_of(2), after_singles);

  EXPECT_TRUE(std::ranges::equal(a, b));
}

TEST_P(InnerFlowShapes, FillsATrainUpTo64KiB) {
  const std::vector<Stamp> stamps(flow_.train_max());

  const auto train = flow_.write_train(stamps, room_);

  EXPECT_LE(train.packet.size(), 65535u);
  EXPECT_TRUE(parse_ip_packet(train.packet));
}

TEST_P(InnerFlowShapes, AreReadBackFromTheirHead) {
  const std::vector<Stamp> stamps = {stamp_of(4), stamp_of(5)};
  const auto train = flow_.write_train(stamps, room_);

  const auto arrival = read_inner_arrival(train.header, train.packet.first(60));

  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->stamp, stamps[0]);
  EXPECT_EQ(arrival->packet_count, 2u);
  EXPECT_EQ(arrival->payload_size, flow_.payload_size());
  EXPECT_EQ(Stamp::read(train.packet.subspan(arrival->payload_offset + arrival->payload_size)),
            stamps[1]);
}

TEST_P(InnerFlowShapes, KnowTheirOwnPayload) {
  const MutableBytes packet = flow_.write(stamp_of(1), room_);
  const MutableBytes payload = packet.subspan(flow_.headers_size());

  EXPECT_TRUE(payload_is_intact(payload));
  payload.back() ^= 1;
  EXPECT_FALSE(payload_is_intact(payload));
}

TEST(InnerArrival, IsNothingThatAFlowDidNotMake) {
  const auto icmp = test::ip_packet(true, 1, test::counting_bytes(64));
  const auto v6 = test::udp_packet(false, test::counting_bytes(64));
  const auto small = test::udp_packet(true, test::counting_bytes(Stamp::kSize - 1));

  EXPECT_FALSE(read_inner_arrival({}, icmp));
  EXPECT_FALSE(read_inner_arrival({}, v6));
  EXPECT_FALSE(read_inner_arrival({}, small));
  EXPECT_FALSE(read_inner_arrival({}, {}));
}

}  // namespace
}  // namespace ringway::wire
