#include <gtest/gtest.h>

#include <algorithm>

#include "dataplane/gso_batch.h"
#include "tests/dataplane/datapath_rig.h"
#include "tests/support/seeded_random.h"
#include "tun/coalescer.h"
#include "tun/segmenter.h"

// Super-packets through the whole downlink, against a plain reference: cut by copying, one by one.
namespace ringway {
namespace {

using test::DatapathRig;
using test::kStart;
using test::Packet;
using test::RigClient;

struct Frame {
  VnetHeader header;
  Packet packet;
};

/// With the pseudo header's sum where the checksum belongs, as the kernel leaves it.
Frame frame_to(const IpAddress& destination, bool tcp, Bytes payload, std::uint16_t gso_size) {
  const bool v4 = destination.is_v4();
  Frame frame;
  const test::TcpFields fields{.flags = tcp_flag::kAck | tcp_flag::kPsh, .options = {1, 1, 1, 1}};
  frame.packet = tcp ? test::tcp_packet(v4, payload, fields) : test::udp_packet(v4, payload);
  const auto transport = static_cast<std::uint16_t>(v4 ? kIpv4HeaderMin : kIpv6HeaderSize);
  std::ranges::copy(destination.wire(), frame.packet.begin() + (v4 ? 16 : 24));
  if (v4) {
    store_be16(frame.packet.data() + 10, 0);
    store_be16(frame.packet.data() + 10,
               test::reference_checksum(Bytes(frame.packet).first(kIpv4HeaderMin)));
  }
  const std::uint16_t field = tcp ? 16 : 6;
  const std::uint16_t complement = test::reference_checksum(
      {}, test::reference_pseudo_sum(frame.packet, v4 ? frame.packet[9] : frame.packet[6],
                                     frame.packet.size() - transport));
  store_be16(frame.packet.data() + transport + field, static_cast<std::uint16_t>(~complement));
  const GsoType type = !tcp ? GsoType::UdpL4 : v4 ? GsoType::TcpV4 : GsoType::TcpV6;
  frame.header = {.needs_checksum = true,
                  .gso_type = gso_size == 0 ? GsoType::None : type,
                  .gso_size = gso_size,
                  .checksum_start = transport,
                  .checksum_offset = field};
  return frame;
}

std::vector<Packet> reference_segments(const Frame& frame) {
  auto segmenter = Segmenter::start(frame.header, parse_ip_packet(frame.packet).value());
  std::vector<Packet> packets;
  while (segmenter->next_size() > 0) {
    Packet packet(segmenter->next_size());
    segmenter->write_next(packet);
    packets.push_back(std::move(packet));
  }
  return packets;
}

/// Through the datapath into trains, and opened by the client.
std::vector<Packet> carried(DatapathRig& rig, RigClient& client, Frame frame) {
  std::vector<Packet> packets;
  auto routed = rig.datapath.route_frame(frame.header, frame.packet);
  if (!routed) return packets;
  const auto target = rig.datapath.target_of(*routed);
  EXPECT_TRUE(target && target->endpoint() == client.endpoint);
  Packet memory(65'536);
  GsoBatch batch;
  batch.start(memory, GsoBatch::kSegmentsMax);
  const auto open_train = [&] {
    for (std::size_t i = 0; i < batch.segment_count(); ++i) {
      packets.push_back(client.open(batch.segment(i)));
    }
    batch.start(memory, GsoBatch::kSegmentsMax);
  };
  while (routed->segmenter.left_count() > 0) {
    const std::size_t size = target->seal_overhead() + routed->segmenter.next_size();
    if (batch.reserve(size).empty()) open_train();
    const MutableBytes room = batch.reserve(size);
    const auto sealed = rig.datapath.seal_next(*routed, *target, frame.packet, room, kStart);
    EXPECT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->size(), size);
    batch.commit(size);
  }
  open_train();
  return packets;
}

class DownlinkFrame : public ::testing::Test {
 protected:
  DatapathRig rig_;
  RigClient& client_ = rig_.connect({1}, {"10.8.0.2/32", "fd00::2/128"},
                                    {.mssfix = {.value = 1340, .mode = MssFix::Mode::Fixed}});
};

TEST_F(DownlinkFrame, BecomesThePacketsThatThePlainReferenceMakesOfIt) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    const bool v4 = seed % 2 == 0;
    const bool tcp = seed % 4 < 2;
    Packet payload(1 + random.next() % 64'000);
    random.fill(payload);
    const auto gso_size = static_cast<std::uint16_t>(
        std::max<std::uint64_t>(payload.size() / 1300 + 1, 60 + random.next() % 1340));
    const Frame frame =
        frame_to(test::address(v4 ? "10.8.0.2" : "fd00::2"), tcp, payload, gso_size);

    const std::vector<Packet> packets = carried(rig_, client_, frame);

    EXPECT_TRUE(packets == reference_segments(frame));
    for (const Packet& packet : packets) {
      const std::size_t transport = v4 ? kIpv4HeaderMin : kIpv6HeaderSize;
      const std::size_t field = transport + std::size_t{tcp ? 16u : 6u};
      EXPECT_EQ(load_be16(packet.data() + field),
                test::reference_transport_checksum(packet, transport, field));
    }
  }
}

TEST_F(DownlinkFrame, IsWhatTheCoalescerMakesOfItsPacketsAgain) {
  for (const bool v4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      const Packet payload = test::counting_bytes(40 * 1300 + 77);
      const Frame frame = frame_to(test::address(v4 ? "10.8.0.2" : "fd00::2"), tcp, payload, 1300);
      const std::vector<Packet> packets = carried(rig_, client_, frame);

      Coalescer coalescer({.tcp = true, .udp = true});
      for (const Packet& packet : packets) {
        ASSERT_TRUE(coalescer.add(parse_ip_packet(packet).value()));
      }

      ASSERT_EQ(coalescer.frame_count(), 1u);
      std::array<Bytes, Coalescer::kGatherMax> spans;
      Packet merged;
      for (const Bytes piece : coalescer.gather(0, spans)) {
        merged.insert(merged.end(), piece.begin(), piece.end());
      }
      ASSERT_GT(merged.size(), kVnetHeaderSize);
      EXPECT_TRUE(std::ranges::equal(Bytes(merged).subspan(kVnetHeaderSize), frame.packet));
    }
  }
}

TEST_F(DownlinkFrame, OfASinglePacketHasItsChecksumFinished) {
  const Frame frame = frame_to(test::address("10.8.0.2"), false, test::counting_bytes(700), 0);

  const std::vector<Packet> packets = carried(rig_, client_, frame);

  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(load_be16(packets[0].data() + 26),
            test::reference_transport_checksum(packets[0], 20, 26));
}

TEST_F(DownlinkFrame, OfASynHasItsMssLoweredAfterTheChecksumIsFinished) {
  Frame frame = frame_to(test::address("10.8.0.2"), true, {}, 0);
  frame.packet[33] = tcp_flag::kSyn;
  const std::array<std::uint8_t, 4> option = {2, 4, 0x05, 0xb4};
  std::ranges::copy(option, frame.packet.begin() + 40);

  const std::vector<Packet> packets = carried(rig_, client_, frame);

  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(load_be16(packets[0].data() + 42), 1300);
  EXPECT_EQ(load_be16(packets[0].data() + 36),
            test::reference_transport_checksum(packets[0], 20, 36));
}

TEST_F(DownlinkFrame, TakesPacketIdsInTheOrderOfItsPackets) {
  const Frame frame = frame_to(test::address("10.8.0.2"), true, test::counting_bytes(60'000), 1300);

  // The client's window would refuse an id twice, and the first of them is 1.
  EXPECT_EQ(carried(rig_, client_, frame).size(), 47u);
}

TEST_F(DownlinkFrame, ThatContradictsItsHeaderIsRefused_F01) {
  Frame frame = frame_to(test::address("10.8.0.2"), true, test::counting_bytes(20'000), 1300);
  frame.header.gso_type = GsoType::TcpV6;

  EXPECT_EQ(rig_.datapath.route_frame(frame.header, frame.packet).error(), Drop::BadVnetHeader);
  EXPECT_EQ(rig_.count(Drop::BadVnetHeader), 1u);
}

TEST_F(DownlinkFrame, WithoutAPeerIsDropped) {
  const Frame frame = frame_to(test::address("10.8.0.9"), true, test::counting_bytes(9000), 1300);

  EXPECT_EQ(rig_.datapath.route_frame(frame.header, frame.packet).error(), Drop::NoRoute);
}

TEST_F(DownlinkFrame, WhoseSessionGoesAwayInTheMiddleIsDroppedAndCounted) {
  Frame frame = frame_to(test::address("10.8.0.2"), true, test::counting_bytes(13'000), 1300);
  auto routed = rig_.datapath.route_frame(frame.header, frame.packet);
  ASSERT_TRUE(routed.has_value());
  const auto target = rig_.datapath.target_of(*routed);
  ASSERT_TRUE(target.has_value());
  Packet out(2000);
  ASSERT_TRUE(rig_.datapath.seal_next(*routed, *target, frame.packet, out, kStart).has_value());

  rig_.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart);

  EXPECT_FALSE(rig_.datapath.target_of(*routed).has_value());
  EXPECT_EQ(rig_.count(Drop::NoRoute), 9u);
}

TEST_F(DownlinkFrame, OfAnotherWorkersPeerNamesIt) {
  DatapathSettings settings = test::rig_settings();
  settings.worker_count = 4;
  DatapathRig rig(settings);
  rig.datapath.handle_command(AddRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {7}},
                              kStart);
  const Frame frame = frame_to(test::address("10.8.0.2"), true, test::counting_bytes(9000), 1300);

  const auto routed = rig.datapath.route_frame(frame.header, frame.packet);

  ASSERT_TRUE(routed.has_value());
  EXPECT_EQ(routed->owner, WorkerId{3});
  EXPECT_EQ(routed->segmenter.packet_count(), 7u);
}

}  // namespace
}  // namespace ringway
