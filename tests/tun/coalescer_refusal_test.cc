#include <gtest/gtest.h>

#include "tests/tun/coalescer_flows.h"

// What a Coalescer lets pass as it is.
namespace ringway {
namespace {

using test::coalesce;
using test::expect_apart;
using test::expect_untouched;
using test::Packet;
using test::Packets;
using test::TcpFlow;
using test::udp_flow;

constexpr std::uint8_t kAck = tcp_flag::kAck;

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

TEST(Coalescer, DoesNotMergeWhatDiffersInTheOuterEcn) {
  for (const std::uint8_t first : {std::uint8_t{0}, std::uint8_t{3}}) {
    Coalescer coalescer({});
    TcpFlow flow(true);
    const Packets packets = {flow.next(1200), flow.next(1200), flow.next(1200), flow.next(1200)};
    const auto second = static_cast<std::uint8_t>(3 - first);
    ASSERT_TRUE(coalescer.add(*parse_ip_packet(packets[0]), first));
    ASSERT_TRUE(coalescer.add(*parse_ip_packet(packets[1]), first));
    ASSERT_TRUE(coalescer.add(*parse_ip_packet(packets[2]), second));
    ASSERT_TRUE(coalescer.add(*parse_ip_packet(packets[3]), second));

    const auto frames = test::frames_of(coalescer);

    EXPECT_EQ(frames.size(), 2u);
    EXPECT_EQ(test::cut(frames), packets);
  }
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

TEST(Coalescer, MergesOnlyWhatTheKernelTakes) {
  TcpFlow flow(true);
  const Packets tcp = {flow.next(1200), flow.next(1200)};
  const Packets udp = udp_flow(true, 2);
  EXPECT_EQ(coalesce(tcp, {.tcp = false, .udp = true}).size(), 2u);
  EXPECT_EQ(coalesce(udp, {.tcp = true, .udp = false}).size(), 2u);
}

}  // namespace
}  // namespace ringway
