#include "dataplane/downlink.h"

#include <gtest/gtest.h>

#include "tests/dataplane/verdicts.h"

namespace ringway {
namespace {

using test::DatapathRig;
using test::is_dropped;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

TEST(Downlink, SealsAPacketForThePeerThatItIsRoutedTo) {
  DatapathRig rig;
  RigClient& first = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});
  RigClient& second = rig.connect({2}, {"10.8.0.3/32", "172.16.5.0/24"});
  struct Case {
    const char* source;
    const char* destination;
    RigClient& client;
  };
  for (const Case& one :
       {Case{"192.0.2.7", "10.8.0.2", first}, Case{"2001:db8::7", "fd00::2", first},
        Case{"192.0.2.7", "10.8.0.3", second}, Case{"10.8.0.1", "172.16.5.200", second}}) {
    const Packet inner = packet_between(one.source, one.destination);

    const Verdict verdict = rig.read_tun(inner);

    ASSERT_EQ(verdict.way, Way::Link) << one.destination;
    EXPECT_EQ(verdict.endpoint, one.client.endpoint);
    EXPECT_EQ(verdict.packet.data(), rig.buffer.data());
    EXPECT_EQ(verdict.packet.size(), inner.size() + data_overhead(DataHeader::kSizeMax));
    EXPECT_EQ(one.client.open(verdict.packet), inner);
  }
}

TEST(Downlink, SpeaksDataV1ToAClientWithoutPeerIds) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, {.data_v2 = false});
  const Packet inner = packet_between("192.0.2.7", "10.8.0.2");

  const Verdict verdict = rig.read_tun(inner);

  ASSERT_EQ(verdict.way, Way::Link);
  EXPECT_EQ(verdict.packet.size(), inner.size() + 21);
  EXPECT_EQ(client.open(verdict.packet), inner);
}

TEST(Downlink, DropsWhatNoPeerHas) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"});

  EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("192.0.2.7", "10.8.0.3")), Drop::NoRoute));
  EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("2001:db8::7", "fd00::2")), Drop::NoRoute));
}

TEST(Downlink, DropsMulticastAndBroadcastEvenWithADefaultRoute) {
  DatapathRig rig;
  rig.connect({1}, {"0.0.0.0/0", "::/0"});
  ASSERT_EQ(rig.read_tun(packet_between("10.8.0.1", "192.0.2.7")).way, Way::Link);

  for (const char* destination : {"224.0.0.1", "239.1.1.1", "255.255.255.255", "10.8.0.255"}) {
    EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("10.8.0.1", destination)), Drop::NoRoute))
        << destination;
  }
  for (const char* destination : {"ff02::1", "fe80::9"}) {
    EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("fd00::1", destination)), Drop::NoRoute))
        << destination;
  }
}

TEST(Downlink, DropsMalformedPackets) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"});
  const Packet inner = packet_between("192.0.2.7", "10.8.0.2");
  for (std::size_t size = 0; size < inner.size(); ++size) {
    EXPECT_TRUE(is_dropped(rig.read_tun(Bytes(inner).first(size)), Drop::MalformedInner)) << size;
  }
}

TEST(Downlink, SaysHowMuchMayBeSealedForAPeer) {
  const auto packet_max = [](std::uint16_t tunnel, std::uint16_t session) {
    DatapathSettings settings = test::rig_settings();
    settings.tun_mtu = tunnel;
    DatapathRig rig(settings);
    rig.connect({1}, {"10.8.0.2/32"}, {.tun_mtu = session});
    const Packet packet = packet_between("192.0.2.7", "10.8.0.2");
    const auto frame = rig.datapath.route_frame({}, packet);
    return rig.datapath.target_of(*frame)->packet_max;
  };

  EXPECT_EQ(packet_max(1500, 1400), 1400u);
  EXPECT_EQ(packet_max(1420, 9000), 1420u);
  EXPECT_EQ(packet_max(9000, 9000), 1448u) << "the path";
}

TEST(Downlink, CopiesOfATrafficClassWhatTheSessionSays) {
  const struct {
    std::uint8_t mask;
    std::uint8_t outer;
  } table[] = {
      {0, 0},        // A stock client: not ECN-capable outside (RFC 6040 4.1, compatibility).
      {0x03, 0x02},  // A peer that brings the marks back: normal mode.
      {0xfc, 0xb8},  // `passtos`
      {0xff, 0xba},  // Both.
  };
  for (const auto& row : table) {
    for (const bool v4 : {true, false}) {
      DatapathRig rig;
      rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"}, {.outer_class_mask = row.mask});
      const Packet packet =
          test::udp_packet(v4, test::counting_bytes(20), {}, {.traffic_class = 0xba});
      const auto frame = rig.datapath.route_frame(
          {}, packet_between(v4 ? "192.0.2.7" : "2001:db8::7", v4 ? "10.8.0.2" : "fd00::2"));

      EXPECT_EQ(rig.datapath.target_of(*frame)->outer_class(*parse_ip_packet(packet)), row.outer);
    }
  }
}

TEST(Downlink, WritesTheDatagramAndNothingBehindIt) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, {.mssfix = {.value = 1440, .mode = MssFix::Mode::Fixed}});
  Packet syn = test::tcp_packet(true, {}, {.flags = tcp_flag::kSyn, .options = {2, 4, 0x05, 0xb4}});
  store_be32(syn.data() + 16, 0x0a080002);
  for (const Packet& inner : {packet_between("192.0.2.7", "10.8.0.2"), syn}) {
    const std::size_t size = inner.size() + data_overhead(DataHeader::kSizeMax);
    Packet out(size + 100, 0x5a);

    const Verdict verdict = test::seal_for_peer(rig.datapath, {0}, inner, out, kStart);

    ASSERT_EQ(verdict.way, Way::Link);
    EXPECT_EQ(verdict.packet.size(), size);
    EXPECT_EQ(Packet(out.begin() + static_cast<std::ptrdiff_t>(size), out.end()),
              Packet(100, 0x5a));
  }
}

TEST(Downlink, DropsAPacketForASessionWithoutKeys) {
  DatapathRig rig;
  rig.datapath.handle_command(AddSession{.peer_id = {1}, .endpoint = test::endpoint_of({1})},
                              kStart);
  rig.datapath.handle_command(AddRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {1}},
                              kStart);

  EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("192.0.2.7", "10.8.0.2")), Drop::NoKey));
}

TEST(Downlink, DropsAPacketWhoseSessionIsGone) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"});
  rig.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart);

  EXPECT_TRUE(is_dropped(rig.read_tun(packet_between("192.0.2.7", "10.8.0.2")), Drop::NoRoute));
}

TEST(Downlink, HandsAPacketForAnotherWorkersPeerOver) {
  DatapathSettings settings = test::rig_settings();
  settings.worker_count = 4;
  DatapathRig rig(settings);
  rig.datapath.handle_command(AddRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {7}},
                              kStart);

  const Verdict verdict = rig.read_tun(packet_between("192.0.2.7", "10.8.0.2"));

  EXPECT_EQ(verdict.way, Way::Worker);
  EXPECT_EQ(verdict.worker, WorkerId{3});
}

TEST(Downlink, LowersTheMssOfASynInTheCopyOnly) {
  DatapathRig rig;
  RigClient& client =
      rig.connect({1}, {"10.8.0.2/32"}, {.mssfix = {.value = 1440, .mode = MssFix::Mode::Fixed}});
  Packet syn = test::tcp_packet(
      true, {}, {.flags = tcp_flag::kSyn | tcp_flag::kAck, .options = {2, 4, 0x05, 0xb4}});
  store_be32(syn.data() + 12, 0xc0000207);
  store_be32(syn.data() + 16, 0x0a080002);
  store_be16(syn.data() + 36, test::reference_transport_checksum(syn, 20, 36));
  const Packet before = syn;

  const Verdict verdict = rig.read_tun(syn);

  ASSERT_EQ(verdict.way, Way::Link);
  EXPECT_EQ(syn, before);
  const Packet received = client.open(verdict.packet);
  ASSERT_EQ(received.size(), syn.size());
  EXPECT_EQ(load_be16(received.data() + 42), 1400);
  EXPECT_EQ(load_be16(received.data() + 36), test::reference_transport_checksum(received, 20, 36));
}

}  // namespace
}  // namespace ringway
