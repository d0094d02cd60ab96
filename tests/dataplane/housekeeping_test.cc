#include "dataplane/housekeeping.h"

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

namespace ringway {
namespace {

using test::DatapathRig;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;

constexpr SessionSettings kKeepalive{.ping_interval = 10s, .ping_restart = 60s};

/// The pings that are due, by the endpoints that they go to.
std::vector<LinkEndpoint> pings(DatapathRig& rig, Instant now) {
  rig.datapath.handle_timeout(now);
  std::vector<LinkEndpoint> endpoints;
  Packet scratch(Datapath::kPingSizeMax);
  while (const auto verdict = rig.datapath.poll_transmit(scratch, now)) {
    EXPECT_EQ(verdict->way, Verdict::Way::Link);
    endpoints.push_back(verdict->endpoint);
  }
  return endpoints;
}

template <typename Report>
std::vector<Report> reports(DatapathRig& rig, Instant now) {
  rig.datapath.handle_timeout(now);
  std::vector<Report> found;
  while (const auto report = rig.datapath.poll_report())
    if (const auto* const one = std::get_if<Report>(&*report)) found.push_back(*one);
  return found;
}

TEST(Housekeeping, PingsAPeerThatNothingWasSentTo) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  EXPECT_TRUE(pings(rig, kStart + 9s).empty());

  rig.datapath.handle_timeout(kStart + 11s);
  Packet scratch(Datapath::kPingSizeMax);
  const auto verdict = rig.datapath.poll_transmit(scratch, kStart + 11s);

  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->endpoint, client.endpoint);
  EXPECT_EQ(verdict->packet.size(), 40u);
  EXPECT_EQ(client.open(verdict->packet), Packet(kPingPayload.begin(), kPingPayload.end()));
  EXPECT_FALSE(rig.datapath.poll_transmit(scratch, kStart + 11s));
}

TEST(Housekeeping, PingsAgainAfterEachInterval) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  int count = 0;
  for (int second = 1; second <= 100; ++second)
    count += static_cast<int>(pings(rig, kStart + second * 1s).size());
  EXPECT_EQ(count, 10);
}

TEST(Housekeeping, DoesNotPingAPeerThatIsBeingSentTo) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  for (int second = 1; second <= 100; ++second) {
    const Instant now = kStart + second * 1s;
    if (second % 5 == 0) {
      ASSERT_EQ(rig.read_tun(packet_between("192.0.2.7", "10.8.0.2"), now).way, Verdict::Way::Link);
    }
    EXPECT_TRUE(pings(rig, now).empty()) << second;
  }
}

TEST(Housekeeping, SkipsAPingWhenAPacketWentOutMeanwhile) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  rig.datapath.handle_timeout(kStart + 10s);
  ASSERT_EQ(rig.read_tun(packet_between("192.0.2.7", "10.8.0.2"), kStart + 10s).way,
            Verdict::Way::Link);

  Packet scratch(Datapath::kPingSizeMax);
  EXPECT_FALSE(rig.datapath.poll_transmit(scratch, kStart + 10s));
}

TEST(Housekeeping, PingsEveryPeerThatIsDue) {
  DatapathRig rig;
  std::vector<LinkEndpoint> expected;
  for (std::uint32_t peer = 0; peer < 10; ++peer) {
    rig.connect({peer}, {}, kKeepalive);
    expected.push_back(test::endpoint_of({peer}));
  }
  EXPECT_EQ(pings(rig, kStart + 10s), expected);
}

TEST(Housekeeping, PutsThePingOfASessionWithoutKeysOff) {
  DatapathRig rig;
  rig.datapath.handle_command(
      AddSession{.peer_id = {1}, .endpoint = test::endpoint_of({1}), .settings = kKeepalive},
      kStart);
  EXPECT_TRUE(pings(rig, kStart + 10s).empty());
  EXPECT_TRUE(pings(rig, kStart + 11s).empty());
}

TEST(Housekeeping, DoesNotPingARemovedSession) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  rig.datapath.handle_timeout(kStart + 10s);
  rig.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart + 10s);

  Packet scratch(Datapath::kPingSizeMax);
  EXPECT_FALSE(rig.datapath.poll_transmit(scratch, kStart + 10s));
}

TEST(Housekeeping, ReportsASilentPeerOnceInEachRestartInterval) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  EXPECT_TRUE(reports<PeerIdle>(rig, kStart + 59s).empty());

  const auto first = reports<PeerIdle>(rig, kStart + 61s);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].peer_id, PeerId{1});
  EXPECT_EQ(first[0].last_received, kStart);
  EXPECT_TRUE(reports<PeerIdle>(rig, kStart + 100s).empty());
  EXPECT_EQ(reports<PeerIdle>(rig, kStart + 122s).size(), 1u);
}

TEST(Housekeeping, ReportsNoPeerThatPings) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  for (int second = 1; second <= 300; ++second) {
    const Instant now = kStart + second * 1s;
    if (second % 50 == 0) {
      ASSERT_EQ(rig.send(client, kPingPayload, now).way, Verdict::Way::Consumed);
    }
    EXPECT_TRUE(reports<PeerIdle>(rig, now).empty()) << second;
  }
}

TEST(Housekeeping, HoldsAForgedDatagramForNoSignOfLife) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  Packet forged = client.seal(kPingPayload);
  forged.back() ^= 1;
  ASSERT_EQ(rig.receive(forged, client.endpoint, kStart + 59s).drop, Drop::BadTag);

  EXPECT_EQ(reports<PeerIdle>(rig, kStart + 61s).size(), 1u);
}

// Security goal A20. The peer's ids count, too: its next key comes from the same renegotiation.
TEST(Housekeeping, HasTheKeysOfEpochsMadeAndWiped) {  // A21
  DatapathSettings settings = test::rig_settings();
  settings.key_limits.last_epoch_counter = 1;
  settings.aead = AeadChoice::all(AeadEngine::Openssl);
  DatapathRig rig(settings);
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, {.in_epochs = true});
  const Packet down = packet_between("192.0.2.7", "10.8.0.2");
  // Theirs and ours: two schedules, and OpenSSL has the keys.
  const std::size_t at_first = SecretArena::slots_in_use();
  ASSERT_EQ(rig.read_tun(down).way, Verdict::Way::Link);
  EXPECT_EQ(rig.read_tun(down).drop, Drop::KeyExhausted);

  for (int round = 1; round < 9; ++round) {
    const Instant now = kStart + round * (Housekeeping::kInspectionInterval + Housekeeping::kTick);
    rig.datapath.handle_timeout(now);
    client.session->handle_timeout(now);
    const Verdict verdict = rig.read_tun(down, now);
    ASSERT_EQ(verdict.way, Verdict::Way::Link) << round;
    EXPECT_EQ(client.open(verdict.packet, now).size(), down.size()) << round;
  }

  EXPECT_EQ(SecretArena::slots_in_use(), at_first);
}

TEST(Housekeeping, ReportsOnceThatAKeyIsWearingOut) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  KeyState key(test::make_peer_keys({0}, 1));
  constexpr std::size_t kSize = kPingPayload.size() + data_overhead(DataHeader::kSizeMax);
  Packet sealed(kSize);
  const auto send_with_id = [&](std::uint32_t id) {
    sealed.resize(kSize);
    const MutableBytes out(sealed);
    write_data_header({.opcode = Opcode::DataV2, .key_id = {0}, .peer_id = {1}}, out);
    store_be32(out.data() + 4, id);
    key.seal({id}, out.first(8), kPingPayload, out.subspan(24), out.subspan(8, 16));
    return rig.receive(sealed, client.endpoint).way;
  };
  ASSERT_EQ(send_with_id(0x7fff'ffff), Verdict::Way::Consumed);
  EXPECT_TRUE(reports<KeyWearingOut>(rig, kStart + 10s).empty());
  ASSERT_EQ(send_with_id(0x8000'0000), Verdict::Way::Consumed);

  const auto found = reports<KeyWearingOut>(rig, kStart + 20s);

  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].peer_id, PeerId{1});
  EXPECT_EQ(found[0].key_id, KeyId{0});
  EXPECT_TRUE(reports<KeyWearingOut>(rig, kStart + 40s).empty());
}

// Security goal B14.
TEST(Housekeeping, ReportsAnExitOnceHoweverOftenItIsSaid) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(rig.send(client, kExitPayload).way, Verdict::Way::Consumed);
    EXPECT_EQ(reports<PeerExited>(rig, kStart).size(), i == 0 ? 1u : 0u);
  }
}

TEST(Housekeeping, ReportsNothingOfARemovedSession) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  ASSERT_EQ(rig.send(client, kExitPayload).way, Verdict::Way::Consumed);
  rig.datapath.handle_timeout(kStart + 61s);
  rig.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart + 61s);

  EXPECT_EQ(rig.datapath.poll_report(), std::nullopt);
}

TEST(Housekeeping, ReportsNothingOfASessionUnderTheNameOfItsSuccessor) {
  for (const bool removed_first : {true, false}) {
    DatapathRig rig;
    RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
    ASSERT_EQ(rig.send(client, kExitPayload).way, Verdict::Way::Consumed);
    rig.datapath.handle_timeout(kStart + 61s);
    if (removed_first) rig.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart + 61s);
    RigClient& successor = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);

    EXPECT_EQ(rig.datapath.poll_report(), std::nullopt);
    ASSERT_EQ(rig.send(successor, kExitPayload).way, Verdict::Way::Consumed);
    EXPECT_TRUE(rig.datapath.poll_report().has_value());
  }
}

TEST(Housekeeping, TellsAllThatThereIsToTellOfASession) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  ASSERT_EQ(rig.send(client, kExitPayload).way, Verdict::Way::Consumed);
  rig.datapath.handle_timeout(kStart + 61s);

  std::size_t idle = 0;
  std::size_t exited = 0;
  while (const auto report = rig.datapath.poll_report()) {
    idle += std::holds_alternative<PeerIdle>(*report) ? 1 : 0;
    exited += std::holds_alternative<PeerExited>(*report) ? 1 : 0;
  }
  EXPECT_EQ(idle, 1u);
  EXPECT_EQ(exited, 1u);
}

TEST(Housekeeping, WipesAnExpiredKey) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  DataKeys next = test::make_keys({1}, 50, DataCipher::ChaCha20Poly1305);
  next.previous_expires_at = kStart + 30s;
  const DataKeys after = test::make_keys({2}, 51, DataCipher::ChaCha20Poly1305);
  rig.install(client, std::move(next), test::make_peer_keys({1}, 50, DataCipher::ChaCha20Poly1305));
  rig.datapath.handle_command(ConfirmKey{.peer_id = {1}, .key_id = {1}}, kStart);
  DataKeys last = test::make_keys({2}, 51, DataCipher::ChaCha20Poly1305);
  last.previous_expires_at = kStart + 40s;
  rig.install(client, std::move(last), test::make_peer_keys({2}, 51, DataCipher::ChaCha20Poly1305));
  const std::size_t with_both = SecretArena::slots_in_use();

  rig.datapath.handle_timeout(kStart + 39s);
  EXPECT_EQ(SecretArena::slots_in_use(), with_both);
  rig.datapath.handle_timeout(kStart + 41s);

  EXPECT_EQ(SecretArena::slots_in_use(), with_both - 2);
}

TEST(Housekeeping, AsksForAWalkAtMostOnceASecondAndNotSeldomerThanADeadline) {
  DatapathRig rig;
  rig.datapath.handle_timeout(kStart);
  EXPECT_EQ(rig.datapath.poll_timeout(), kStart + Housekeeping::kIdleInterval);

  for (std::uint32_t peer = 0; peer < 4; ++peer) rig.connect({peer}, {}, {.ping_interval = 1ms});
  EXPECT_EQ(rig.datapath.poll_timeout(), kStart + Housekeeping::kTick);
  rig.datapath.handle_timeout(kStart + 1s);
  EXPECT_EQ(rig.datapath.poll_timeout(), kStart + 2s);
}

TEST(Housekeeping, DoesNothingWhenCalledEarly) {
  DatapathRig rig;
  rig.connect({1}, {"10.8.0.2/32"}, kKeepalive);
  rig.datapath.handle_timeout(kStart);
  const Instant due = rig.datapath.poll_timeout();

  EXPECT_TRUE(pings(rig, due - 1ns).empty());

  EXPECT_EQ(rig.datapath.poll_timeout(), due);
}

}  // namespace
}  // namespace ringway
