#include <gtest/gtest.h>

#include "tests/dataplane/verdicts.h"

// Whom a client may say that it is, and whom it may reach.
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

// Security goal C01.
TEST(Uplink, DropsASourceThatIsNotThePeers) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128", "172.16.5.0/24"});
  rig.connect({2}, {"10.8.0.3/32", "fd00::3/128"});
  EXPECT_EQ(rig.send(client, packet_between("172.16.5.77", "192.0.2.7")).way, Way::Tun);

  for (const char* source :
       {"10.8.0.3", "10.8.0.1", "10.8.0.99", "192.0.2.1", "172.16.6.1", "127.0.0.1", "0.0.0.0"}) {
    EXPECT_TRUE(
        is_dropped(rig.send(client, packet_between(source, "192.0.2.7")), Drop::SpoofedSource))
        << source;
  }
  for (const char* source : {"fd00::3", "fd00::1", "2001:db8::1", "fe80::1", "::", "::1"}) {
    EXPECT_TRUE(
        is_dropped(rig.send(client, packet_between(source, "2001:db8::7")), Drop::SpoofedSource))
        << source;
  }
}

// Security goal C01: the way to everywhere may carry anybody's packets, but for these.
TEST(Uplink, DropsSpecialSourcesEvenOfAClientWithADefaultRoute) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "0.0.0.0/0", "::/0"});
  EXPECT_EQ(rig.send(client, packet_between("203.0.113.5", "192.0.2.7")).way, Way::Tun);
  EXPECT_EQ(rig.send(client, packet_between("2001:db8::5", "2001:db8::7")).way, Way::Tun);

  for (const char* source : {"10.8.0.1", "10.8.0.3", "127.0.0.1", "0.0.0.0", "255.255.255.255",
                             "224.0.0.1", "169.254.1.1"}) {
    EXPECT_TRUE(
        is_dropped(rig.send(client, packet_between(source, "192.0.2.7")), Drop::SpoofedSource))
        << source;
  }
  for (const char* source : {"fd00::1", "fd00::3", "fe80::1", "::", "::1", "ff02::1"}) {
    EXPECT_TRUE(
        is_dropped(rig.send(client, packet_between(source, "2001:db8::7")), Drop::SpoofedSource))
        << source;
  }
}

// The server's own address is refused as such, whether it lies in a pool or not.
TEST(Uplink, DropsTheServersOwnAddressAsASource) {
  DatapathSettings settings = test::rig_settings();
  settings.own_v4 = test::address("10.99.0.1");
  DatapathRig rig(settings);
  RigClient& client = rig.connect({1}, {"0.0.0.0/0"});

  EXPECT_EQ(rig.send(client, packet_between("10.99.0.2", "192.0.2.7")).way, Way::Tun);
  EXPECT_TRUE(
      is_dropped(rig.send(client, packet_between("10.99.0.1", "192.0.2.7")), Drop::SpoofedSource));
}

// Security goal C01: as an IPv6 packet it would slip through a table that keeps IPv4 v4-mapped.
TEST(Uplink, DropsIpv6PacketsWithV4MappedAddresses) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});
  Packet mapped_source = packet_between("fd00::2", "2001:db8::7");
  std::ranges::copy(test::address("10.8.0.2").bytes(), mapped_source.begin() + 8);
  Packet mapped_destination = packet_between("fd00::2", "2001:db8::7");
  std::ranges::copy(test::address("127.0.0.1").bytes(), mapped_destination.begin() + 24);

  EXPECT_TRUE(is_dropped(rig.send(client, mapped_source), Drop::MalformedInner));
  EXPECT_TRUE(is_dropped(rig.send(client, mapped_destination), Drop::MalformedInner));
}

// Security goal C05.
TEST(Uplink, DropsMartianDestinations) {
  for (const bool client_to_client : {false, true}) {
    DatapathSettings settings = test::rig_settings();
    settings.client_to_client = client_to_client;
    DatapathRig rig(settings);
    RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});
    for (const char* destination : {"0.0.0.0", "127.0.0.1", "169.254.169.254", "224.0.0.251",
                                    "239.255.255.250", "255.255.255.255"}) {
      EXPECT_TRUE(is_dropped(rig.send(client, packet_between("10.8.0.2", destination)),
                             Drop::MartianDestination))
          << destination;
    }
    for (const char* destination : {"::", "::1", "::7f00:1", "fe80::1", "ff02::2", "ff02::fb"}) {
      EXPECT_TRUE(is_dropped(rig.send(client, packet_between("fd00::2", destination)),
                             Drop::MartianDestination))
          << destination;
    }
  }
}

// Security goal C04.
TEST(Uplink, WithoutClientToClientReachesNobodyElseInThePools) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});
  rig.connect({2}, {"10.8.0.3/32", "fd00::3/128"});

  for (const char* destination : {"10.8.0.3", "10.8.0.99", "10.8.0.0", "10.8.0.255", "10.8.0.2"}) {
    EXPECT_TRUE(is_dropped(rig.send(client, packet_between("10.8.0.2", destination)),
                           Drop::ClientToClientOff))
        << destination;
  }
  EXPECT_TRUE(
      is_dropped(rig.send(client, packet_between("fd00::2", "fd00::3")), Drop::ClientToClientOff));
  EXPECT_EQ(rig.send(client, packet_between("10.8.0.2", "10.8.0.1")).way, Way::Tun);
  EXPECT_EQ(rig.send(client, packet_between("fd00::2", "fd00::1")).way, Way::Tun);
}

TEST(Uplink, WithClientToClientReachesTheOtherClients) {
  DatapathSettings settings = test::rig_settings();
  settings.client_to_client = true;
  DatapathRig rig(settings);
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "fd00::2/128"});
  RigClient& other = rig.connect({2}, {"10.8.0.3/32", "172.16.5.0/24"});

  for (const char* destination : {"10.8.0.3", "172.16.5.1"}) {
    const Packet inner = packet_between("10.8.0.2", destination);
    const Verdict verdict = rig.send(client, inner);
    ASSERT_EQ(verdict.way, Way::Peer) << destination;
    const Packet packet = copy_of(verdict.packet);
    const Verdict sealed = rig.read_tun(packet);
    ASSERT_EQ(sealed.way, Way::Link) << destination;
    EXPECT_EQ(sealed.endpoint, other.endpoint);
    EXPECT_EQ(other.open(sealed.packet), inner);
  }
  EXPECT_EQ(rig.send(client, packet_between("10.8.0.2", "10.8.0.1")).way, Way::Tun);
  EXPECT_EQ(rig.send(client, packet_between("10.8.0.2", "192.0.2.7")).way, Way::Tun);
}

// Security goal C04: the source is checked first, whoever the packet is for.
TEST(Uplink, WithClientToClientStillDropsASpoofedSource) {
  DatapathSettings settings = test::rig_settings();
  settings.client_to_client = true;
  DatapathRig rig(settings);
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  rig.connect({2}, {"10.8.0.3/32"});

  EXPECT_TRUE(
      is_dropped(rig.send(client, packet_between("10.8.0.9", "10.8.0.3")), Drop::SpoofedSource));
}

TEST(Uplink, WithClientToClientSendsNothingBackToItsSenderOrIntoTheVoid) {
  DatapathSettings settings = test::rig_settings();
  settings.client_to_client = true;
  DatapathRig rig(settings);
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "172.16.5.0/24"});

  for (const char* destination : {"10.8.0.2", "172.16.5.9", "10.8.0.99", "10.8.0.255"}) {
    EXPECT_TRUE(
        is_dropped(rig.send(client, packet_between("10.8.0.2", destination)), Drop::NoRoute))
        << destination;
  }
}

// What is remembered of the last packet's addresses is good for that peer and those routes alone.
TEST(Uplink, ForgetsWhatItJudgedWhenTheRoutesChange_C01) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet inner = packet_between("10.8.0.2", "192.0.2.7");
  ASSERT_EQ(rig.send(client, inner).way, Way::Tun);

  rig.datapath.handle_command(AddRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {2}},
                              kStart);
  EXPECT_TRUE(is_dropped(rig.send(client, inner), Drop::SpoofedSource));
  rig.datapath.handle_command(AddRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {1}},
                              kStart);
  EXPECT_EQ(rig.send(client, inner).way, Way::Tun);
  rig.datapath.handle_command(RemoveRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {1}},
                              kStart);
  EXPECT_TRUE(is_dropped(rig.send(client, inner), Drop::SpoofedSource));
}

TEST(Uplink, JudgesEachPeerAndEachPairOfAddressesByItself_C01) {
  DatapathRig rig;
  RigClient& one = rig.connect({1}, {"10.8.0.2/32"});
  RigClient& other = rig.connect({2}, {"10.8.0.3/32"});
  const Packet inner = packet_between("10.8.0.2", "192.0.2.7");

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rig.send(one, inner).way, Way::Tun);
    EXPECT_TRUE(is_dropped(rig.send(other, inner), Drop::SpoofedSource));
    EXPECT_TRUE(
        is_dropped(rig.send(one, packet_between("10.8.0.3", "192.0.2.7")), Drop::SpoofedSource));
    EXPECT_TRUE(
        is_dropped(rig.send(one, packet_between("10.8.0.2", "10.8.0.3")), Drop::ClientToClientOff));
    EXPECT_TRUE(is_dropped(rig.send(one, packet_between("10.8.0.2", "127.0.0.1")),
                           Drop::MartianDestination));
  }
}

// What was judged has 512 places: these two clients have the same one.
TEST(Uplink, JudgesClientsThatShareAPlaceByThemselves_C01) {
  DatapathSettings settings = test::rig_settings();
  settings.sessions_max = 1024;
  DatapathRig rig(settings);
  RigClient& one = rig.connect({1}, {"10.8.0.2/32"});
  RigClient& other = rig.connect({611}, {"10.8.0.3/32"});

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rig.send(one, packet_between("10.8.0.2", "192.0.2.7")).way, Way::Tun);
    EXPECT_TRUE(
        is_dropped(rig.send(other, packet_between("10.8.0.2", "192.0.2.7")), Drop::SpoofedSource));
    EXPECT_EQ(rig.send(other, packet_between("10.8.0.3", "192.0.2.7")).way, Way::Tun);
    EXPECT_TRUE(
        is_dropped(rig.send(one, packet_between("10.8.0.3", "192.0.2.7")), Drop::SpoofedSource));
  }
}

}  // namespace
}  // namespace ringway
