#include "dataplane/uplink.h"

#include <gtest/gtest.h>

#include "tests/dataplane/verdicts.h"
#include "tun/ecn.h"

namespace ringway {
namespace {

using test::copy_of;
using test::DatapathRig;
using test::is_dropped;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

TEST(Uplink, BringsAnAuthenticPacketToTheTun) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});

  for (const Packet& inner :
       {packet_between("10.8.0.2", "192.0.2.7"), packet_between("fd00::2", "2001:db8::7"),
        packet_between("10.8.0.2", "10.8.0.1")}) {
    const Verdict verdict = rig.send(client, inner);
    ASSERT_EQ(verdict.way, Way::Tun);
    EXPECT_EQ(copy_of(verdict.packet), inner);
  }
}

TEST(Uplink, OpensInPlace) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});

  const Verdict verdict = rig.send(client, packet_between("10.8.0.2", "192.0.2.7"));

  EXPECT_EQ(verdict.packet.data(), rig.buffer.data() + 24);
}

TEST(Uplink, HandsEveryControlOpcodeOfAClientOverUntouched) {
  DatapathRig rig;
  for (const unsigned opcode : {3u, 4u, 5u, 7u, 10u, 11u}) {
    Packet datagram(14, 0xab);
    datagram[0] = static_cast<std::uint8_t>(opcode << 3);
    EXPECT_EQ(rig.receive(datagram, test::endpoint_of({1})).way, Way::Control) << opcode;
    EXPECT_EQ(rig.buffer, datagram);
  }
}

// Security goal A16.
TEST(Uplink, DropsEveryOtherOpcode) {
  DatapathRig rig;
  for (const unsigned opcode : {0u, 1u, 2u, 8u, 12u, 13u, 31u}) {
    const Packet datagram(40, static_cast<std::uint8_t>(opcode << 3));
    EXPECT_TRUE(is_dropped(rig.receive(datagram, test::endpoint_of({1})), Drop::UnknownOpcode))
        << opcode;
  }
}

TEST(Uplink, DropsEveryTruncationOfADatagram) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet whole = client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(is_dropped(rig.receive(copy_of(Bytes(whole).first(size)), client.endpoint),
                           size <= 24 ? Drop::Truncated : Drop::BadTag))
        << size;
  }
  EXPECT_EQ(rig.receive(whole, client.endpoint).way, Way::Tun);
}

// Before any table is asked: the cheapest check comes first.
TEST(Uplink, DropsAShortDatagramOfNobodyForItsLength) {
  DatapathRig rig;
  for (const std::uint8_t first : {std::uint8_t{0x48}, std::uint8_t{0x30}}) {
    const std::size_t overhead = first == 0x48 ? 24 : 21;
    EXPECT_TRUE(is_dropped(rig.receive(Packet(overhead, first), {}), Drop::Truncated));
    EXPECT_TRUE(is_dropped(rig.receive(Packet(overhead + 1, first), {}), Drop::UnknownPeer));
  }
}

TEST(Uplink, DropsControlPacketsThatCannotHoldTheirHeader) {
  DatapathRig rig;
  for (std::size_t size = 1; size < 10; ++size)
    EXPECT_TRUE(is_dropped(rig.receive(Packet(size, 0x38), {}), Drop::Truncated)) << size;
  EXPECT_EQ(rig.receive(Packet(10, 0x38), {}).way, Way::Control);
}

TEST(Uplink, DropsAnUnknownPeer) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Packet datagram = client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  datagram[3] = 2;

  EXPECT_TRUE(is_dropped(rig.receive(datagram, client.endpoint), Drop::UnknownPeer));
}

// Security goal A17.
TEST(Uplink, DropsAKeyIdWithoutAnInstalledKey) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Packet datagram = client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  datagram[0] |= 1;

  EXPECT_TRUE(is_dropped(rig.receive(datagram, client.endpoint), Drop::UnknownKey));
}

// Security goal A17.
TEST(Uplink, DropsDataOfASessionThatHasNoKeysYet) {
  DatapathRig rig;
  rig.datapath.handle_command(AddSession{.peer_id = {1}, .endpoint = test::endpoint_of({1})},
                              kStart);
  Packet datagram(60, 0);
  datagram[0] = 0x48;
  datagram[3] = 1;

  EXPECT_TRUE(is_dropped(rig.receive(datagram, test::endpoint_of({1})), Drop::UnknownKey));
}

TEST(Uplink, DropsAForgedDatagramWhereverItWasChanged) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet whole = client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  for (std::size_t i = 4; i < whole.size(); ++i) {
    Packet forged = whole;
    forged[i] ^= 0x40;
    EXPECT_TRUE(is_dropped(rig.receive(forged, client.endpoint), Drop::BadTag)) << i;
  }
  EXPECT_EQ(rig.receive(whole, client.endpoint).way, Way::Tun);
}

// Security goal A19.
TEST(Uplink, DropsAReplay) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet datagram = client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  ASSERT_EQ(rig.receive(datagram, client.endpoint).way, Way::Tun);

  EXPECT_TRUE(is_dropped(rig.receive(datagram, client.endpoint), Drop::Replay));
}

TEST(Uplink, TakesReorderedDatagrams) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  std::vector<Packet> datagrams;
  for (int i = 0; i < 1024; ++i)
    datagrams.push_back(client.seal(packet_between("10.8.0.2", "192.0.2.7")));

  for (std::size_t i = datagrams.size(); i > 0; --i)
    EXPECT_EQ(rig.receive(datagrams[i - 1], client.endpoint).way, Way::Tun);
}

TEST(Uplink, ConsumesPingsAndOtherOccMessages) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Packet occ_request(kExitPayload.begin(), kExitPayload.end());
  occ_request.back() = 0;

  EXPECT_EQ(rig.send(client, kPingPayload).way, Way::Consumed);
  EXPECT_EQ(rig.send(client, occ_request).way, Way::Consumed);
  EXPECT_EQ(rig.datapath.poll_report(), std::nullopt);
}

TEST(Uplink, ReportsAnExit) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});

  EXPECT_EQ(rig.send(client, kExitPayload).way, Way::Consumed);

  const auto report = rig.datapath.poll_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(std::get<PeerExited>(*report).peer_id, PeerId{1});
}

// Security goal C06.
TEST(Uplink, DropsAPingWithATail) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Packet ping(kPingPayload.begin(), kPingPayload.end());
  ping.push_back(0);

  EXPECT_TRUE(is_dropped(rig.send(client, ping), Drop::MalformedInner));
}

// Security goal C02.
TEST(Uplink, DropsMalformedInnerPackets) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet good = packet_between("10.8.0.2", "192.0.2.7", 16);
  std::vector<Packet> bad;
  for (std::size_t size = 1; size < good.size(); ++size)
    bad.push_back(copy_of(Bytes(good).first(size)));
  for (const unsigned first : {0x05u, 0x44u, 0x4fu, 0x55u, 0x65u, 0xf5u}) {
    bad.push_back(good);
    bad.back()[0] = static_cast<std::uint8_t>(first);
  }
  for (std::size_t i = 0; i < bad.size(); ++i)
    EXPECT_TRUE(is_dropped(rig.send(client, bad[i]), Drop::MalformedInner)) << i;
}

// C07: nothing is taken out of a framing for compression, and none is stripped.
TEST(Uplink, DropsPacketsThatClaimToBeCompressed) {
  constexpr std::uint8_t kLzo = 0x66;
  constexpr std::uint8_t kLz4 = 0x69;
  constexpr std::uint8_t kNotCompressed = 0xfa;
  constexpr std::uint8_t kNotCompressedSwapped = 0xfb;
  constexpr std::uint8_t kVersion2 = 0x50;
  constexpr std::uint8_t kVersion2Stub = 0x00;
  constexpr std::uint8_t kVersion2Lz4 = 0x01;
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet inner = packet_between("10.8.0.2", "192.0.2.7", 16);
  const std::vector<Packet> framings = {{kLzo},
                                        {kLz4},
                                        {kNotCompressed},
                                        {kNotCompressedSwapped},
                                        {kVersion2, kVersion2Stub},
                                        {kVersion2, kVersion2Lz4}};
  for (const Packet& framing : framings) {
    Packet packet = framing;
    packet.insert(packet.end(), inner.begin(), inner.end());
    EXPECT_TRUE(is_dropped(rig.send(client, packet), Drop::MalformedInner)) << +framing[0];
    EXPECT_TRUE(is_dropped(rig.send(client, framing), Drop::MalformedInner)) << +framing[0];
  }
}

TEST(Uplink, CutsWhatLiesBehindTheInnerPacket) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet inner = packet_between("10.8.0.2", "192.0.2.7");
  Packet padded = inner;
  padded.resize(inner.size() + 13, 0xee);

  const Verdict verdict = rig.send(client, padded);

  ASSERT_EQ(verdict.way, Way::Tun);
  EXPECT_EQ(copy_of(verdict.packet), inner);
}

TEST(Uplink, SaysThatAPacketIsLargerThanTheTunTakes) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const std::size_t headers = packet_between("10.8.0.2", "192.0.2.7", 0).size();
  const Packet misfit = packet_between("10.8.0.2", "192.0.2.7", 1501 - headers);

  EXPECT_EQ(rig.send(client, packet_between("10.8.0.2", "192.0.2.7", 1500 - headers)).way,
            Way::Tun);
  const Verdict verdict = rig.send(client, misfit);
  EXPECT_EQ(verdict.way, Way::Misfit);
  EXPECT_EQ(copy_of(verdict.packet), misfit);
  EXPECT_EQ(verdict.ip.total_length(), 1501u);
}

// Security goal C08: whoever is answered is the one that has sent it.
TEST(Uplink, JudgesALargePacketsAddressesFirst) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});

  EXPECT_TRUE(is_dropped(rig.send(client, packet_between("10.8.0.9", "192.0.2.7", 1600)),
                         Drop::SpoofedSource));
  EXPECT_TRUE(is_dropped(rig.send(client, packet_between("10.8.0.2", "224.0.0.7", 1600)),
                         Drop::MartianDestination));
}

// RFC 6040 4.2: all of figure 4 is tests/tun/ecn_test.cc.
TEST(Uplink, BringsTheMarksOfRoutersBackIntoThePacket) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const auto received_under = [&](std::uint8_t inner, std::uint8_t outer) {
    Packet packet = packet_between("10.8.0.2", "192.0.2.7");
    auto ip = parse_ip_packet(packet);
    set_ecn(packet, *ip, inner);
    rig.buffer = client.seal(packet);
    UplinkSource source(client.endpoint, outer);
    return rig.datapath.handle_datagram(rig.buffer, source, kStart);
  };

  const Verdict marked = received_under(ecn::kCapable0, ecn::kCongestion);
  ASSERT_EQ(marked.way, Way::Tun);
  EXPECT_EQ(marked.ip.ecn(), ecn::kCongestion);
  EXPECT_EQ(parse_ip_packet(marked.packet)->ecn(), ecn::kCongestion);
  EXPECT_EQ(test::reference_checksum(Bytes(marked.packet).first(kIpv4HeaderMin)), 0u);
  EXPECT_EQ(received_under(ecn::kCapable0, ecn::kNotCapable).ip.ecn(), ecn::kCapable0);
  EXPECT_TRUE(is_dropped(received_under(ecn::kNotCapable, ecn::kCongestion), Drop::IllegalEcn));
  EXPECT_EQ(rig.count(Drop::IllegalEcn), 1u);
}

TEST(Uplink, LowersTheMssOfASyn) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"},
                                  {.mssfix = {.value = 1440, .mode = MssFix::Mode::Fixed}});
  for (const bool v4 : {true, false}) {
    // The builder's packets go from 10.8.0.2 to 192.0.2.1 and from fd00::2 to 2001:db8::1.
    Packet syn = test::tcp_packet(
        v4, {}, {.flags = tcp_flag::kSyn, .options = {2, 4, 0x05, 0xb4, 1, 1, 4, 2}});
    syn[v4 ? 0 : 8] = v4 ? 0x45 : 0xfd;

    const Verdict verdict = rig.send(client, syn);

    ASSERT_EQ(verdict.way, Way::Tun);
    const Packet clamped = copy_of(verdict.packet);
    const std::size_t tcp = v4 ? 20 : 40;
    EXPECT_EQ(load_be16(clamped.data() + tcp + 22), v4 ? 1400 : 1380);
    EXPECT_EQ(load_be16(clamped.data() + tcp + 16),
              test::reference_transport_checksum(clamped, tcp, tcp + 16));
  }
}

TEST(Uplink, HandsADatagramOfAnotherWorkersPeerOverUntouched) {
  DatapathSettings settings = test::rig_settings();
  settings.self = {1};
  settings.worker_count = 4;
  DatapathRig rig(settings);
  Packet datagram(60, 0x11);
  datagram[0] = 0x48;
  datagram[1] = datagram[2] = 0;
  datagram[3] = 6;

  const Verdict verdict = rig.receive(datagram, test::endpoint_of({6}));

  EXPECT_EQ(verdict.way, Way::Worker);
  EXPECT_EQ(verdict.worker, WorkerId{2});
  EXPECT_EQ(rig.buffer, datagram);
}

TEST(Uplink, KnowsTheSenderOfDataV1ByItsEndpoint) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, {.data_v2 = false});
  const Packet inner = packet_between("10.8.0.2", "192.0.2.7");
  const Packet datagram = client.seal(inner);
  ASSERT_EQ(datagram[0], 0x30);

  EXPECT_TRUE(is_dropped(rig.receive(datagram, test::endpoint_of({9})), Drop::UnknownPeer));
  const Verdict verdict = rig.receive(datagram, client.endpoint);
  ASSERT_EQ(verdict.way, Way::Tun);
  EXPECT_EQ(copy_of(verdict.packet), inner);
}

TEST(Uplink, HandsNothingOverThatIsNobodys) {
  DatapathSettings settings = test::rig_settings();
  settings.worker_count = 4;
  for (std::uint16_t self = 0; self < 4; ++self) {
    settings.self = {self};
    DatapathRig rig(settings);
    EXPECT_TRUE(
        is_dropped(rig.receive(Packet(60, 0x30), test::endpoint_of({9})), Drop::UnknownPeer));
  }
}

TEST(Uplink, KnowsTheSenderWithoutAPeerIdByItsEndpoint) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  Session unnamed(PeerId{}, client.endpoint, {}, kStart);
  unnamed.keys().install(test::make_peer_keys({0}, 1));
  Packet out(200);
  const auto datagram = unnamed.seal(packet_between("10.8.0.2", "192.0.2.7"), out, kStart);
  ASSERT_TRUE(datagram);
  ASSERT_EQ((*datagram)[1], 0xff);

  EXPECT_EQ(rig.receive(copy_of(*datagram), client.endpoint).way, Way::Tun);
}

TEST(Uplink, HandsDataV1OfAForeignPeerToItsWorker) {
  DatapathSettings settings = test::rig_settings();
  settings.worker_count = 2;
  DatapathRig rig(settings);
  rig.datapath.handle_command(
      AddSession{
          .peer_id = {3}, .endpoint = test::endpoint_of({3}), .settings = {.data_v2 = false}},
      kStart);

  const Verdict verdict = rig.receive(Packet(60, 0x30), test::endpoint_of({3}));

  EXPECT_EQ(verdict.way, Way::Worker);
  EXPECT_EQ(verdict.worker, WorkerId{1});
}

}  // namespace
}  // namespace ringway
