#include <gtest/gtest.h>

#include "tests/dataplane/verdicts.h"

/// Sessions that follow their clients, and what does not move them (security goal A18).
namespace ringway {
namespace {

using test::address;
using test::DatapathRig;
using test::endpoint_of;
using test::is_dropped;
using test::kStart;
using test::make_keys;
using test::make_peer_keys;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

class UplinkFloat : public ::testing::Test {
 protected:
  Packet seal(Instant now = kStart) {
    return client_.seal(packet_between("10.8.0.2", "192.0.2.7"), now);
  }
  Verdict send_from(const LinkEndpoint& from, Instant now = kStart) {
    return rig_.receive(seal(now), from, now);
  }
  /// Where the answers to the client go.
  LinkEndpoint where(Instant now = kStart) {
    return rig_.read_tun(packet_between("192.0.2.7", "10.8.0.2"), now).endpoint;
  }
  /// What the control thread hears of it.
  std::vector<WorkerReport> reports() {
    std::vector<WorkerReport> all;
    while (const auto report = rig_.datapath.poll_report()) all.push_back(*report);
    return all;
  }

  DatapathRig rig_;
  RigClient& client_ = rig_.connect({1}, {"10.8.0.2/32"});
  const LinkEndpoint home_ = client_.endpoint;
  const LinkEndpoint away_ = endpoint_of({77});
  const LinkEndpoint further_ = endpoint_of({78});
};

TEST_F(UplinkFloat, FollowsAnAuthenticPacketAtOnce_A18) {
  EXPECT_EQ(send_from(away_).way, Way::Tun);

  EXPECT_EQ(where(), away_);
  const auto said = reports();
  ASSERT_EQ(said.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<PeerFloated>(said[0]));
  EXPECT_EQ(std::get<PeerFloated>(said[0]).peer_id, PeerId{1});
  EXPECT_EQ(std::get<PeerFloated>(said[0]).endpoint, away_);
}

// The remote address, its port, the family, our own address and the listener: each is a part of it.
TEST_F(UplinkFloat, FollowsAChangeOfEitherEnd) {
  std::vector<LinkEndpoint> elsewhere(5, home_);
  elsewhere[0].remote.address = address("203.0.113.9");
  ++elsewhere[1].remote.port;
  elsewhere[2].remote.address = address("2001:db8::9");
  elsewhere[3].local = address("192.0.2.99");
  elsewhere[4].listener = 1;

  Instant now = kStart;
  for (const LinkEndpoint& there : elsewhere) {
    now = now + 2s;
    EXPECT_EQ(send_from(there, now).way, Way::Tun);
    EXPECT_EQ(where(now), there);
  }
}

TEST_F(UplinkFloat, SendsPingsAfterItsClient) {
  RigClient& client = rig_.connect({2}, {"10.8.0.3/32"}, {.ping_interval = 10s});
  EXPECT_EQ(rig_.receive(client.seal(packet_between("10.8.0.3", "192.0.2.7")), away_).way,
            Way::Tun);

  rig_.datapath.handle_timeout(kStart + 11s);
  Packet scratch(Datapath::kPingSizeMax);
  const auto ping = rig_.datapath.poll_transmit(scratch, kStart + 11s);

  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->endpoint, away_);
}

TEST_F(UplinkFloat, StaysWhereItIsForAForgedPacket_A18) {
  Packet forged = seal();
  forged.back() ^= 1;

  EXPECT_TRUE(is_dropped(rig_.receive(forged, away_), Drop::BadTag));

  EXPECT_EQ(where(), home_);
  EXPECT_TRUE(reports().empty());
}

// CVE-2020-11810: a server that moved first and opened then took a session from its client.
TEST_F(UplinkFloat, TakesNothingFromWhoIsWhereAForgedPacketSeemsToComeFrom_A18) {
  RigClient& victim = rig_.connect({2}, {"10.8.0.3/32"});
  Packet forged = seal();
  forged.back() ^= 1;
  EXPECT_TRUE(is_dropped(rig_.receive(forged, victim.endpoint), Drop::BadTag));

  EXPECT_EQ(where(), home_);
  EXPECT_EQ(rig_.send(victim, packet_between("10.8.0.3", "192.0.2.7")).way, Way::Tun);
  EXPECT_EQ(rig_.read_tun(packet_between("192.0.2.7", "10.8.0.3")).endpoint, victim.endpoint);
  EXPECT_TRUE(reports().empty());
}

TEST_F(UplinkFloat, StaysWhereItIsForAReplayFromElsewhere_A18) {
  const Packet captured = seal();
  EXPECT_EQ(rig_.receive(captured, home_).way, Way::Tun);

  EXPECT_TRUE(is_dropped(rig_.receive(captured, away_), Drop::Replay));

  EXPECT_EQ(where(), home_);
  EXPECT_TRUE(reports().empty());
}

// Held back by somebody on the way, or only late: it is delivered, and says nothing of where the
// client is now.
TEST_F(UplinkFloat, DeliversALatePacketFromElsewhereAndStaysWhereItIs_A18) {
  const Packet late = seal();
  EXPECT_EQ(send_from(home_).way, Way::Tun);

  EXPECT_EQ(rig_.receive(late, away_).way, Way::Tun);

  EXPECT_EQ(where(), home_);
  EXPECT_TRUE(reports().empty());
}

TEST_F(UplinkFloat, IsNotDrawnBackByWhatWasUnderWayWhenItLeft) {
  const Packet under_way = seal();
  EXPECT_EQ(send_from(away_).way, Way::Tun);

  EXPECT_EQ(rig_.receive(under_way, home_, kStart + 2s).way, Way::Tun);

  EXPECT_EQ(where(), away_);
}

// "New" under a key that the client has left means nothing.
TEST_F(UplinkFloat, StaysWhereItIsForAPacketUnderAnOlderKey_A18) {
  const Packet held_back = seal();
  DataKeys keys = make_keys({1}, 5);
  keys.previous_expires_at = kStart + 60s;
  DataKeys client_keys = make_peer_keys({1}, 5);
  client_keys.previous_expires_at = kStart + 60s;
  rig_.install(client_, std::move(keys), client_keys);
  client_.session->keys().promote({1});
  EXPECT_EQ(send_from(home_).way, Way::Tun);

  EXPECT_EQ(rig_.receive(held_back, away_).way, Way::Tun);

  EXPECT_EQ(where(), home_);
}

TEST_F(UplinkFloat, MovesUnderTheOlderKeyWhileTheNewerIsNotInUse) {
  DataKeys keys = make_keys({1}, 5);
  keys.previous_expires_at = kStart + 60s;
  rig_.datapath.handle_command(InstallKeys{.peer_id = {1}, .keys = std::move(keys)}, kStart);

  EXPECT_EQ(send_from(away_).way, Way::Tun);

  EXPECT_EQ(where(), away_);
}

TEST_F(UplinkFloat, MovesOnceASecondAndServesWhatComesSooner_A18) {
  EXPECT_EQ(send_from(away_).way, Way::Tun);
  EXPECT_EQ(send_from(further_, kStart + 500ms).way, Way::Tun);
  EXPECT_EQ(where(), away_);

  EXPECT_EQ(send_from(further_, kStart + 1s).way, Way::Tun);

  EXPECT_EQ(where(kStart + 1s), further_);
}

TEST_F(UplinkFloat, ReportsAPingPongBetweenTwoPathsOnceASecond) {
  std::size_t count = 0;
  for (int i = 0; i < 1000; ++i) {
    const Instant now = kStart + i * 10ms;
    EXPECT_EQ(send_from(i % 2 == 0 ? away_ : further_, now).way, Way::Tun);
    count += reports().size();
  }
  EXPECT_LE(count, 10u);
  EXPECT_GE(count, 2u);
}

TEST_F(UplinkFloat, ReportsOnlyWhereItIsWhenNobodyHasAskedMeanwhile) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(send_from(endpoint_of({static_cast<std::uint32_t>(50 + i)}), kStart + i * 1s).way,
              Way::Tun);
  }
  const auto said = reports();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(std::get<PeerFloated>(said[0]).endpoint, endpoint_of({59}));
}

TEST_F(UplinkFloat, CannotMoveAClientThatNamesNoPeer) {
  RigClient& old = rig_.connect({3}, {"10.8.0.4/32"}, {.data_v2 = false});
  const Packet inner = packet_between("10.8.0.4", "192.0.2.7");
  EXPECT_TRUE(is_dropped(rig_.receive(old.seal(inner), away_), Drop::UnknownPeer));

  // Nor by naming it in DATA_V2, which it does not speak.
  Session speaks_v2({3}, old.endpoint, {}, kStart);
  speaks_v2.keys().install(make_peer_keys({0}, 3));
  Packet out(inner.size() + kDataOverheadMax);
  const auto datagram = speaks_v2.seal(inner, out, kStart);
  ASSERT_TRUE(datagram);
  EXPECT_TRUE(is_dropped(rig_.receive(out, away_), Drop::WrongEndpoint));
}

TEST_F(UplinkFloat, DoesNotGoIntoItsOwnTunnel_C05) {
  for (const char* inside : {"10.8.0.2", "10.8.0.77", "fd00::2", "10.8.0.1", "fd00::1"}) {
    LinkEndpoint there = home_;
    there.remote.address = address(inside);
    EXPECT_TRUE(is_dropped(send_from(there), Drop::WrongEndpoint)) << inside;
  }
  EXPECT_EQ(where(), home_);
}

// By its own tunnel come the packets of the networks behind it, too.
TEST_F(UplinkFloat, DoesNotGoBehindItself_C05) {
  LinkEndpoint there = home_;
  there.remote.address = address("192.168.4.9");
  rig_.datapath.handle_command(AddRoute{.prefix = *Prefix::parse("192.168.4.0/24"), .peer_id = {1}},
                               kStart);

  EXPECT_TRUE(is_dropped(send_from(there), Drop::WrongEndpoint));
  EXPECT_EQ(where(), home_);

  rig_.datapath.handle_command(AddRoute{.prefix = *Prefix::parse("192.168.4.0/24"), .peer_id = {2}},
                               kStart);
  EXPECT_EQ(send_from(there).way, Way::Tun);
  EXPECT_EQ(where(), there);
}

TEST_F(UplinkFloat, AsksBeforeItGoesWhereAnotherSessionIs_A18) {
  RigClient& other = rig_.connect({2}, {"10.8.0.3/32"});

  EXPECT_EQ(send_from(other.endpoint).way, Way::Tun);

  EXPECT_EQ(where(), home_);
  const auto said = reports();
  ASSERT_EQ(said.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<EndpointClaimed>(said[0]));
  EXPECT_EQ(std::get<EndpointClaimed>(said[0]).endpoint, other.endpoint);

  rig_.datapath.handle_command(MoveSession{.peer_id = {1}, .endpoint = other.endpoint}, kStart);
  EXPECT_EQ(where(), other.endpoint);
}

TEST_F(UplinkFloat, LeavesTheDatagramsOfAClientWithoutPeerIdsToIt) {
  RigClient& old = rig_.connect({3}, {"10.8.0.4/32"}, {.data_v2 = false});
  EXPECT_EQ(send_from(old.endpoint).way, Way::Tun);
  rig_.datapath.handle_command(MoveSession{.peer_id = {1}, .endpoint = old.endpoint}, kStart);
  ASSERT_EQ(where(), old.endpoint);

  EXPECT_EQ(rig_.send(old, packet_between("10.8.0.4", "192.0.2.7")).way, Way::Tun);
  EXPECT_EQ(send_from(away_, kStart + 2s).way, Way::Tun);
  EXPECT_EQ(rig_.send(old, packet_between("10.8.0.4", "192.0.2.7")).way, Way::Tun);
}

TEST_F(UplinkFloat, GoesBackWhenItIsRefusedAndAsksFromThenOn_A18) {
  EXPECT_EQ(send_from(away_).way, Way::Tun);
  reports();
  rig_.datapath.handle_command(RefuseEndpoint{.peer_id = {1}, .refused = away_, .endpoint = home_},
                               kStart);
  EXPECT_EQ(where(), home_);

  EXPECT_EQ(send_from(away_, kStart + 500ms).way, Way::Tun);
  EXPECT_TRUE(reports().empty());
  EXPECT_EQ(send_from(away_, kStart + 1s).way, Way::Tun);

  EXPECT_EQ(where(kStart + 1s), home_);
  const auto said = reports();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<EndpointClaimed>(said[0]));
}

TEST_F(UplinkFloat, IgnoresARefusalOfWhereItIsNoMore) {
  EXPECT_EQ(send_from(away_).way, Way::Tun);
  EXPECT_EQ(send_from(further_, kStart + 1s).way, Way::Tun);

  rig_.datapath.handle_command(RefuseEndpoint{.peer_id = {1}, .refused = away_, .endpoint = home_},
                               kStart + 1s);

  EXPECT_EQ(where(kStart + 1s), further_);
}

TEST_F(UplinkFloat, SaysWhereItIsWhenAGrantComesTooLate) {
  RigClient& other = rig_.connect({2}, {"10.8.0.3/32"});
  EXPECT_EQ(send_from(other.endpoint).way, Way::Tun);
  EXPECT_EQ(send_from(further_, kStart + 1s).way, Way::Tun);
  reports();

  rig_.datapath.handle_command(MoveSession{.peer_id = {1}, .endpoint = other.endpoint},
                               kStart + 1s);

  EXPECT_EQ(where(kStart + 1s), further_);
  const auto said = reports();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(std::get<PeerFloated>(said[0]).endpoint, further_);
}

TEST_F(UplinkFloat, ClampsTheMssForTheFamilyThatItHasMovedTo) {
  RigClient& client =
      rig_.connect({4}, {"10.8.0.5/32"}, {.mssfix = {.value = 1492, .mode = MssFix::Mode::Mtu}});
  Packet syn = test::tcp_packet(true, {}, {.flags = 0x02, .options = {2, 4, 0x05, 0xb4}});
  const auto mss_of = [](const Verdict& verdict) {
    return load_be16(verdict.packet.data() + 20 + 22);
  };
  std::ranges::copy(address("10.8.0.5").wire(), syn.begin() + 12);
  EXPECT_EQ(mss_of(rig_.receive(client.seal(syn), client.endpoint)), 1400);

  LinkEndpoint over_v6 = client.endpoint;
  over_v6.remote.address = address("2001:db8::5");
  EXPECT_EQ(rig_.receive(client.seal(syn), over_v6).way, Way::Tun);
  EXPECT_EQ(mss_of(rig_.receive(client.seal(syn), over_v6)), 1380);
}

// A thousand, and ten times as many as are worth opening: nothing moves, and none of them is
// opened any more when the budgets of the second are used up.
TEST_F(UplinkFloat, OpensNoMoreForgeriesThanItsBudgets_A18) {
  const int flood = static_cast<int>(10 * Uplink::kFailuresFromElsewhere);
  Packet forged = seal();
  for (int i = 0; i < flood; ++i) {
    forged[8 + i % 8] = static_cast<std::uint8_t>(i);
    const Verdict verdict =
        rig_.receive(forged, endpoint_of({static_cast<std::uint32_t>(100 + i % 1000)}));
    ASSERT_EQ(verdict.way, Way::Dropped);
  }
  EXPECT_EQ(rig_.count(Drop::BadTag),
            Uplink::kFailuresFromElsewhere + Whereabouts::kFailuresPerSecond);
  EXPECT_EQ(rig_.count(Drop::BadTag) + rig_.count(Drop::WrongEndpoint),
            static_cast<std::uint64_t>(flood));
  EXPECT_EQ(where(), home_);
  // Whom the flood does not name has his own budget, and he whom it names is served where he is.
  RigClient& other = rig_.connect({2}, {"10.8.0.3/32"});
  EXPECT_EQ(rig_.receive(other.seal(packet_between("10.8.0.3", "192.0.2.7")), further_).way,
            Way::Tun);
  EXPECT_EQ(send_from(home_).way, Way::Tun);
  // In the next second, he may move again.
  EXPECT_EQ(send_from(away_, kStart + 1s).way, Way::Tun);
  EXPECT_EQ(where(kStart + 1s), away_);
}

// Whoever has a session over UDP may open a connection and send its packets there; what would be
// sent back belongs to whoever has that place at another worker.
TEST_F(UplinkFloat, DoesNotMoveToAConnectionOrFromOne_A18) {
  LinkEndpoint connection = away_;
  connection.connection = {.number = 1, .generation = 1};
  EXPECT_TRUE(is_dropped(send_from(connection), Drop::WrongEndpoint));
  EXPECT_EQ(where(), home_);
  EXPECT_TRUE(reports().empty());

  connection.remote = home_.remote;
  EXPECT_TRUE(is_dropped(send_from(connection), Drop::WrongEndpoint));
  EXPECT_EQ(send_from(home_).way, Way::Tun);
}

}  // namespace
}  // namespace ringway
