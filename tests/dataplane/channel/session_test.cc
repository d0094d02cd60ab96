#include "dataplane/channel/session.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/channel/test_keys.h"

namespace ringway {
namespace {

using test::kStart;

const LinkEndpoint kEndpoint{.remote = {.address = IpAddress::v4(0xc0000201), .port = 40000},
                             .local = IpAddress::v4(0xc6336401)};
constexpr std::array<std::uint8_t, 20> kPacket{0x45};

Session make_session(const SessionSettings& settings = {}) {
  return Session(PeerId{7}, kEndpoint, settings, kStart);
}

std::expected<Session::Opened, Drop> open(Session& session, MutableBytes datagram, Instant now) {
  return session.open(parse_data_header(datagram).value(), datagram, now);
}

TEST(Session, CarriesPacketsToItsPeer) {
  for (const bool data_v2 : {true, false}) {
    Session ours = make_session({.data_v2 = data_v2});
    Session theirs = make_session({.data_v2 = data_v2});
    ours.keys().install(test::make_keys({0}, 1));
    theirs.keys().install(test::make_peer_keys({0}, 1));
    std::array<std::uint8_t, 64> out{};

    const auto datagram = ours.seal(kPacket, out, kStart);
    ASSERT_TRUE(datagram);
    EXPECT_EQ(datagram->size(), kPacket.size() + (data_v2 ? 24u : 21u));
    EXPECT_EQ(ours.seal_overhead(), data_v2 ? 24u : 21u);
    const auto opened = open(theirs, *datagram, kStart);

    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->kind, PayloadKind::Packet);
    EXPECT_EQ(test::to_hex(opened->payload), test::to_hex(kPacket));
  }
}

TEST(Session, CarriesPacketsToItsPeerInEpochs) {
  Session ours = make_session({.in_epochs = true});
  Session theirs = make_session({.in_epochs = true});
  DataKeys keys = test::make_keys({0}, 1);
  DataKeys peer_keys = test::make_peer_keys({0}, 1);
  keys.in_epochs = peer_keys.in_epochs = true;
  ours.keys().install(keys);
  theirs.keys().install(peer_keys);
  std::array<std::uint8_t, 64> out{};
  EXPECT_EQ(ours.seal_overhead(), 28u);
  EXPECT_EQ(ours.payload_offset(), 12u);
  std::ranges::copy(kPacket, out.begin() + 12);

  const auto datagram = ours.seal(Bytes(out).subspan(12, kPacket.size()), out, kStart);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->size(), kPacket.size() + 28);
  const auto opened = open(theirs, *datagram, kStart);

  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->is_newest);
  EXPECT_EQ(test::to_hex(opened->payload), test::to_hex(kPacket));
}

TEST(Session, HasItsKeysOfEpochsMadeOnceASecondAtMost) {  // A21
  Session session =
      Session(PeerId{7}, kEndpoint, {.in_epochs = true}, kStart, {.last_epoch_counter = 1});
  DataKeys keys = test::make_keys({0}, 1);
  keys.in_epochs = true;
  session.keys().install(keys);
  std::array<std::uint8_t, 64> out{};
  ASSERT_TRUE(session.seal(kPacket, out, kStart));
  ASSERT_TRUE(session.key_deadline());
  EXPECT_LE(*session.key_deadline(), kStart);
  EXPECT_EQ(session.seal(kPacket, out, kStart).error(), Drop::KeyExhausted);

  session.handle_timeout(kStart);
  EXPECT_FALSE(session.key_deadline());
  ASSERT_TRUE(session.seal(kPacket, out, kStart));
  EXPECT_EQ(session.key_deadline(), kStart + 1s);
  session.handle_timeout(kStart + 999ms);
  EXPECT_FALSE(session.seal(kPacket, out, kStart));
  session.handle_timeout(kStart + 1s);

  EXPECT_TRUE(session.seal(kPacket, out, kStart));
}

TEST(Session, HasWornKeysAfterSoManyPacketsBothWays) {
  Session ours = make_session({.renegotiate_packets = 3});
  Session theirs = make_session();
  ours.keys().install(test::make_keys({5}, 1));
  theirs.keys().install(test::make_peer_keys({5}, 1));
  std::array<std::uint8_t, 64> out{};
  ASSERT_TRUE(ours.seal(kPacket, out, kStart));
  ASSERT_TRUE(ours.seal(kPacket, out, kStart));
  EXPECT_FALSE(ours.keys().take_worn_key());

  ASSERT_TRUE(open(ours, *theirs.seal(kPacket, out, kStart), kStart));

  EXPECT_EQ(ours.keys().take_worn_key(), KeyId{5});
  EXPECT_FALSE(ours.keys().take_worn_key());
}

TEST(Session, SealsNothingBeforeItHasAKey) {
  Session session = make_session();
  std::array<std::uint8_t, 64> out{};
  EXPECT_EQ(session.seal(kPacket, out, kStart).error(), Drop::NoKey);
}

// Security goal A17.
TEST(Session, OpensNothingUnderAKeyIdThatWasNeverInstalled) {
  Session ours = make_session();
  Session theirs = make_session();
  ours.keys().install(test::make_keys({1}, 1));
  theirs.keys().install(test::make_peer_keys({0}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = ours.seal(kPacket, out, kStart);
  ASSERT_TRUE(datagram);

  EXPECT_EQ(open(theirs, *datagram, kStart).error(), Drop::UnknownKey);
}

TEST(Session, SealsUnderTheNewKeyAfterThePeerHas) {
  Session ours = make_session();
  Session theirs = make_session();
  for (const KeyId id : {KeyId{0}, KeyId{1}}) {
    DataKeys keys = test::make_keys(id, id.value);
    keys.send_from = kStart + 60s;
    ours.keys().install(keys);
    DataKeys peer_keys = test::make_peer_keys(id, id.value);
    peer_keys.send_from = id == KeyId{0} ? kStart : kStart + 1s;
    theirs.keys().install(peer_keys);
  }
  theirs.keys().confirm({1});
  std::array<std::uint8_t, 64> out{};
  const auto before = ours.seal(kPacket, out, kStart + 2s);
  ASSERT_TRUE(before);
  EXPECT_EQ(parse_data_header(*before)->key_id, KeyId{0});
  std::array<std::uint8_t, 64> back{};
  const auto answer = theirs.seal(kPacket, back, kStart + 2s);
  ASSERT_TRUE(answer);
  ASSERT_EQ(parse_data_header(*answer)->key_id, KeyId{1});

  ASSERT_TRUE(open(ours, *answer, kStart + 2s));

  EXPECT_EQ(parse_data_header(*ours.seal(kPacket, out, kStart + 2s))->key_id, KeyId{1});
}

TEST(Session, CountsWholeDatagramsAndActivityOfAuthenticOnesOnly) {
  Session ours = make_session({.ping_interval = 10s, .ping_restart = 60s});
  Session theirs = make_session({.ping_interval = 10s, .ping_restart = 60s});
  ours.keys().install(test::make_keys({0}, 1));
  theirs.keys().install(test::make_peer_keys({0}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = ours.seal(kPacket, out, kStart + 5s);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(ours.traffic().bytes_sent, 44u);
  EXPECT_FALSE(ours.ping_timer().ping_is_due(kStart + 14s));
  std::vector<std::uint8_t> replay(datagram->begin(), datagram->end());
  std::vector<std::uint8_t> forged = replay;
  forged.back() ^= 1;

  ASSERT_FALSE(open(theirs, forged, kStart + 6s));
  EXPECT_EQ(theirs.traffic().bytes_received, 0u);
  EXPECT_EQ(theirs.ping_timer().last_received(), kStart);
  ASSERT_TRUE(open(theirs, *datagram, kStart + 7s));
  ASSERT_FALSE(open(theirs, replay, kStart + 8s));

  EXPECT_EQ(theirs.traffic().bytes_received, 44u);
  EXPECT_EQ(theirs.ping_timer().last_received(), kStart + 7s);
}

TEST(Session, TellsAPingFromAPacket) {
  Session ours = make_session();
  Session theirs = make_session();
  ours.keys().install(test::make_keys({0}, 1));
  theirs.keys().install(test::make_peer_keys({0}, 1));
  std::array<std::uint8_t, 64> out{};
  const auto datagram = ours.seal(kPingPayload, out, kStart);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->size(), 40u);

  EXPECT_EQ(open(theirs, *datagram, kStart)->kind, PayloadKind::Ping);
}

TEST(Session, SaysWhatOneOuterPacketCarriesToWhereThePeerIs) {
  Session session = make_session({.mssfix = {}});
  EXPECT_EQ(session.packet_max(), 1448u);
  EXPECT_EQ(session.mss().v4, 1408);
  EXPECT_EQ(session.mss().v6, 1388);

  LinkEndpoint over_v6 = kEndpoint;
  over_v6.remote.address = *IpAddress::parse("2001:db8::1");
  session.move_to(over_v6, kStart + 1s);

  EXPECT_EQ(session.endpoint(), over_v6);
  EXPECT_EQ(session.packet_max(), 1428u);
  EXPECT_EQ(session.mss().v4, 1388);
  EXPECT_EQ(session.mss().v6, 1368);
}

}  // namespace
}  // namespace ringway
