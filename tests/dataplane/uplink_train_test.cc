#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

/// Datagrams of one received message: one sender, and one UplinkSource.
namespace ringway {
namespace {

using test::DatapathRig;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

class UplinkTrain : public ::testing::Test {
 protected:
  Verdict receive(Packet datagram, UplinkSource& source) {
    received_ = std::move(datagram);
    return rig_.datapath.handle_datagram(received_, source, kStart);
  }

  DatapathRig rig_;
  RigClient& client_ = rig_.connect({1}, {"10.8.0.2/32"});
  RigClient& other_ = rig_.connect({2}, {"10.8.0.3/32"});
  Packet received_;
};

TEST_F(UplinkTrain, OfOneClientGoesToTheTun) {
  UplinkSource source(client_.endpoint);
  for (int i = 0; i < 5; ++i) {
    const Packet inner = packet_between("10.8.0.2", "192.0.2.7");
    const Verdict verdict = receive(client_.seal(inner), source);
    ASSERT_EQ(verdict.way, Way::Tun);
    EXPECT_EQ(Packet(verdict.packet.begin(), verdict.packet.end()), inner);
  }
}

TEST_F(UplinkTrain, ThatNamesAnotherPeerInTheMiddleMovesNeither_A18) {
  UplinkSource source(client_.endpoint);
  EXPECT_EQ(receive(client_.seal(packet_between("10.8.0.2", "192.0.2.7")), source).way, Way::Tun);

  Packet foreign = other_.seal(packet_between("10.8.0.3", "192.0.2.7"));
  foreign.back() ^= 1;
  EXPECT_EQ(receive(foreign, source).drop, Drop::BadTag);

  EXPECT_EQ(receive(client_.seal(packet_between("10.8.0.2", "192.0.2.7")), source).way, Way::Tun);
  EXPECT_EQ(rig_.read_tun(packet_between("192.0.2.7", "10.8.0.3")).endpoint, other_.endpoint);
  EXPECT_EQ(rig_.read_tun(packet_between("192.0.2.7", "10.8.0.2")).endpoint, client_.endpoint);
}

TEST_F(UplinkTrain, FromElsewhereMovesItsSessionOnce) {
  const LinkEndpoint elsewhere = test::endpoint_of({99});
  UplinkSource source(elsewhere);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(receive(client_.seal(packet_between("10.8.0.2", "192.0.2.7")), source).way, Way::Tun);
  }
  EXPECT_EQ(rig_.read_tun(packet_between("192.0.2.7", "10.8.0.2")).endpoint, elsewhere);
  ASSERT_TRUE(rig_.datapath.poll_report());
  EXPECT_FALSE(rig_.datapath.poll_report());
}

TEST_F(UplinkTrain, IsJudgedPacketByPacket_C01) {
  UplinkSource source(client_.endpoint);
  EXPECT_EQ(receive(client_.seal(packet_between("10.8.0.2", "192.0.2.7")), source).way, Way::Tun);

  const Verdict spoofed = receive(client_.seal(packet_between("10.8.0.3", "192.0.2.7")), source);

  EXPECT_EQ(spoofed.drop, Drop::SpoofedSource);
}

TEST_F(UplinkTrain, WithAForgedDatagramLosesThatOne) {
  UplinkSource source(client_.endpoint);
  Packet forged = client_.seal(packet_between("10.8.0.2", "192.0.2.7"));
  forged.back() ^= 1;
  EXPECT_EQ(receive(forged, source).drop, Drop::BadTag);
  EXPECT_EQ(receive(client_.seal(packet_between("10.8.0.2", "192.0.2.7")), source).way, Way::Tun);
}

TEST_F(UplinkTrain, OfASenderWithoutPeerIdsIsFoundByItsEndpoint) {
  RigClient& old = rig_.connect({3}, {"10.8.0.4/32"}, {.data_v2 = false});
  UplinkSource source(old.endpoint);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(receive(old.seal(packet_between("10.8.0.4", "192.0.2.7")), source).way, Way::Tun);
  }
}

}  // namespace
}  // namespace ringway
