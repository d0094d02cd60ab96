#include "tun/coalescer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/seeded_random.h"
#include "tests/tun/coalesced.h"

namespace ringway {
namespace {

using test::counting_bytes;
using test::Frame;
using test::Packet;
using Packets = std::vector<Packet>;

constexpr std::uint8_t kAck = tcp_flag::kAck;

void add_all(Coalescer& coalescer, const Packets& packets) {
  for (const Packet& packet : packets) {
    const auto ip = parse_ip_packet(packet);
    ASSERT_TRUE(ip);
    ASSERT_TRUE(coalescer.add(*ip));
  }
}

std::vector<Frame> coalesce(const Packets& packets,
                            const Coalescer::Settings& settings = {.tcp = true, .udp = true}) {
  Coalescer coalescer(settings);
  add_all(coalescer, packets);
  return test::frames_of(coalescer);
}

/// A stretch of one TCP flow: full packets in sequence.
class TcpFlow {
 public:
  explicit TcpFlow(bool v4, std::uint16_t source_port = 40000) : v4_(v4) {
    tcp.source_port = source_port;
  }
  Packet next(std::size_t size) {
    Packet packet = test::tcp_packet(v4_, counting_bytes(size, 5), tcp, ip);
    tcp.sequence += static_cast<std::uint32_t>(size);
    ++ip.identification;
    return packet;
  }
  Packet next_with_flags(std::size_t size, std::uint8_t flags) {
    const std::uint8_t before = std::exchange(tcp.flags, flags);
    Packet packet = next(size);
    tcp.flags = before;
    return packet;
  }

  test::TcpFields tcp{.options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}};
  test::IpFields ip;

 private:
  bool v4_;
};

Packets udp_flow(bool v4, std::size_t count, std::size_t size = 1200,
                 const test::UdpFields& udp = {}) {
  Packets packets;
  test::IpFields ip;
  for (std::size_t i = 0; i < count; ++i, ++ip.identification) {
    packets.push_back(
        test::udp_packet(v4, counting_bytes(size, static_cast<std::uint8_t>(i)), udp, ip));
  }
  return packets;
}

void expect_untouched(const Packets& packets, const char* what) {
  const auto frames = coalesce(packets);
  ASSERT_EQ(frames.size(), packets.size()) << what;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_FALSE(frames[i].header.is_gso()) << what;
    EXPECT_FALSE(frames[i].header.needs_checksum) << what;
    EXPECT_EQ(frames[i].packet, packets[i]) << what;
  }
}

/// The two are of one flow and in order, and do not merge.
void expect_apart(const Packet& first, const Packet& second, const char* what) {
  expect_untouched({first, second}, what);
}

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

TEST(Coalescer, DoesNotMergeDifferentHeaders_F02) {
  struct Case {
    const char* what;
    void (*change)(TcpFlow&);
  };
  const Case cases[] = {
      {"ECN", [](TcpFlow& flow) { flow.ip.traffic_class = 3; }},
      {"DSCP", [](TcpFlow& flow) { flow.ip.traffic_class = 0xb8; }},
      {"hop limit", [](TcpFlow& flow) { flow.ip.hop_limit = 63; }},
      {"acknowledgement", [](TcpFlow& flow) { ++flow.tcp.acknowledgement; }},
      {"window", [](TcpFlow& flow) { ++flow.tcp.window; }},
      {"options", [](TcpFlow& flow) { ++flow.tcp.options[7]; }},
      {"more options", [](TcpFlow& flow) { flow.tcp.options.resize(16); }},
      {"no options", [](TcpFlow& flow) { flow.tcp.options.clear(); }},
      {"sequence", [](TcpFlow& flow) { ++flow.tcp.sequence; }},
      {"source port", [](TcpFlow& flow) { ++flow.tcp.source_port; }},
      {"destination port", [](TcpFlow& flow) { ++flow.tcp.destination_port; }},
      {"ECE", [](TcpFlow& flow) { flow.tcp.flags |= tcp_flag::kEce; }},
  };
  for (const Case& one : cases) {
    for (const bool v4 : {true, false}) {
      TcpFlow flow(v4);
      const Packet first = flow.next(1200);
      one.change(flow);
      expect_apart(first, flow.next(1200), one.what);
    }
  }
  TcpFlow flow(false);
  const Packet first = flow.next(1200);
  ++flow.ip.v6_flow_label;
  expect_apart(first, flow.next(1200), "flow label");
}

TEST(Coalescer, DoesNotMergeWhatIsNoPlainData_F02) {
  for (const std::uint8_t flag :
       {tcp_flag::kSyn, tcp_flag::kFin, tcp_flag::kRst, tcp_flag::kUrg, tcp_flag::kCwr}) {
    TcpFlow flow(true);
    flow.tcp.flags = static_cast<std::uint8_t>(kAck | flag);
    const Packet first = flow.next(1200);
    expect_apart(first, flow.next(1200), "flag");
  }
  TcpFlow no_ack(true);
  no_ack.tcp.flags = 0;
  const Packet without = no_ack.next(1200);
  expect_apart(without, no_ack.next(1200), "no ACK");
  TcpFlow accurate_ecn(true);
  Packets accurate = {accurate_ecn.next(1200), accurate_ecn.next(1200)};
  for (Packet& packet : accurate) {
    packet[32] |= 1;
    store_be16(packet.data() + 36, test::reference_transport_checksum(packet, 20, 36));
  }
  expect_untouched(accurate, "AE, which has no place in a virtio header");
  TcpFlow urgent(true);
  urgent.tcp.urgent_pointer = 1;
  const Packet first = urgent.next(1200);
  expect_apart(first, urgent.next(1200), "urgent pointer");
  TcpFlow acks(true);
  const Packet ack = acks.next(0);
  expect_apart(ack, acks.next(0), "no data");
}

TEST(Coalescer, DoesNotMergeFragmentsAndOptions_F02_C03) {
  for (const std::uint16_t word : {std::uint16_t{0x2000}, std::uint16_t{0x8000}}) {
    Packets packets = udp_flow(true, 2, 1208);
    for (Packet& packet : packets) {
      store_be16(packet.data() + 6, word);
      store_be16(packet.data() + 10, 0);
      store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(20)));
    }
    expect_untouched(packets, "more fragments, or the reserved bit");
  }
  Packets options = udp_flow(true, 2);
  for (Packet& packet : options) {
    packet.insert(packet.begin() + 20, {1, 1, 1, 0});
    packet[0] = 0x46;
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
    store_be16(packet.data() + 10, 0);
    store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(24)));
  }
  expect_untouched(options, "IPv4 options");
  Packets extensions = udp_flow(false, 2);
  for (Packet& packet : extensions) {
    packet.insert(packet.begin() + 40, {ip_protocol::kUdp, 0, 1, 4, 0, 0, 0, 0});
    packet[6] = 60;
    store_be16(packet.data() + 4, static_cast<std::uint16_t>(packet.size() - 40));
  }
  expect_untouched(extensions, "IPv6 extension header");
}

TEST(Coalescer, DoesNotMergeBadChecksums_F02) {
  for (const bool v4 : {true, false}) {
    const std::size_t transport = v4 ? 20 : 40;
    for (const std::size_t bad : {std::size_t{0}, std::size_t{1}}) {
      TcpFlow flow(v4);
      Packets tcp = {flow.next(1200), flow.next(1200)};
      ++tcp[bad].back();
      expect_untouched(tcp, "TCP payload");
      Packets udp = udp_flow(v4, 2);
      ++udp[bad].back();
      expect_untouched(udp, "UDP payload");
      Packets none = udp_flow(v4, 2);
      store_be16(none[bad].data() + transport + 6, 0);
      expect_untouched(none, "no UDP checksum");
    }
  }
  TcpFlow flow(true);
  Packets header = {flow.next(1200), flow.next(1200)};
  ++header[1][11];
  expect_untouched(header, "IPv4 header");
}

/// Two packets whose second has, in the 16 bits at `field`, all ones where zero would be as right.
/// `filler` is a place of the packet that may have any value, and that the checksum covers.
void expect_other_zero_is_kept(Packets packets, std::size_t field, std::size_t filler,
                               std::uint16_t right_checksum, const char* what) {
  // What the checksum is, added to one of its words, brings it to zero.
  std::uint32_t sum = load_be16(packets[1].data() + filler) + std::uint32_t{right_checksum};
  sum = (sum & 0xffff) + (sum >> 16);
  store_be16(packets[1].data() + filler, static_cast<std::uint16_t>(sum));
  store_be16(packets[1].data() + field, 0);
  Packets canonical = packets;
  store_be16(packets[1].data() + field, 0xffff);

  EXPECT_EQ(coalesce(canonical).size(), 1u) << what;
  expect_untouched(packets, what);
}

TEST(Coalescer, DoesNotMergeTheOtherWayToWriteAChecksumOfZero_F02) {
  TcpFlow header(true);
  const Packets ip = {header.next(1200), header.next(1200)};
  expect_other_zero_is_kept(ip, 10, 4, load_be16(ip[1].data() + 10), "IPv4 header");
  TcpFlow payload(true);
  const Packets tcp = {payload.next(1200), payload.next(1200)};
  expect_other_zero_is_kept(tcp, 36, 60, load_be16(tcp[1].data() + 36), "TCP");
}

TEST(Coalescer, TakesAUdpChecksumOfZeroForNone_F02) {
  Packets packets = udp_flow(true, 2);
  for (Packet& packet : packets) {
    std::uint32_t sum =
        load_be16(packet.data() + 60) + std::uint32_t{load_be16(packet.data() + 26)};
    sum = (sum & 0xffff) + (sum >> 16);
    store_be16(packet.data() + 60, static_cast<std::uint16_t>(sum));
    store_be16(packet.data() + 26, 0xffff);
  }
  EXPECT_EQ(coalesce(packets).size(), 1u);
  for (Packet& packet : packets) store_be16(packet.data() + 26, 0);

  expect_untouched(packets, "it would sum up, but nobody summed it");
}

TEST(Coalescer, GoesOnBehindAPacketWithABadChecksum) {
  TcpFlow flow(true);
  Packets packets = {flow.next(1200), flow.next(1200), flow.next(1200)};
  ++packets[0].back();

  const auto frames = coalesce(packets);

  ASSERT_EQ(frames.size(), 2u);
  EXPECT_TRUE(frames[1].header.is_gso());
  EXPECT_EQ(test::cut(frames), packets);
}

TEST(Coalescer, DoesNotMergeUdpWithBytesBehindTheDatagram_F02) {
  Packets packets = udp_flow(true, 2);
  for (Packet& packet : packets) {
    store_be16(packet.data() + 24, load_be16(packet.data() + 24) - 1);
    store_be16(packet.data() + 26, test::reference_transport_checksum(packet, 20, 26));
  }
  expect_untouched(packets, "UDP length");
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

TEST(Coalescer, MergesOnlyWhatTheKernelTakes) {
  TcpFlow flow(true);
  const Packets tcp = {flow.next(1200), flow.next(1200)};
  const Packets udp = udp_flow(true, 2);
  EXPECT_EQ(coalesce(tcp, {.tcp = false, .udp = true}).size(), 2u);
  EXPECT_EQ(coalesce(udp, {.tcp = true, .udp = false}).size(), 2u);
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
