#include "dataplane/datapath.h"

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

namespace ringway {
namespace {

using test::DatapathRig;
using test::kStart;
using test::Packet;
using test::packet_between;
using test::RigClient;
using Way = Verdict::Way;

TEST(Datapath, CountsEachDropUnderItsReason) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet spoofed = packet_between("10.8.0.9", "192.0.2.7");
  for (int i = 0; i < 3; ++i) ASSERT_EQ(rig.send(client, spoofed).way, Way::Dropped);
  ASSERT_EQ(rig.read_tun(packet_between("192.0.2.7", "10.8.0.9")).way, Way::Dropped);
  ASSERT_EQ(rig.send(client, packet_between("10.8.0.2", "192.0.2.7")).way, Way::Tun);

  EXPECT_EQ(rig.count(Drop::SpoofedSource), 3u);
  EXPECT_EQ(rig.count(Drop::NoRoute), 1u);
  std::uint64_t all = 0;
  for (const std::uint64_t count : rig.datapath.drops()) all += count;
  EXPECT_EQ(all, 4u);
}

TEST(Datapath, CountsItsSessionsAndTheirTraffic) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  EXPECT_EQ(rig.datapath.session_count(), 1u);
  EXPECT_FALSE(rig.datapath.traffic_of({2}));
  const Packet up = packet_between("10.8.0.2", "192.0.2.7", 100);
  const Packet down = packet_between("192.0.2.7", "10.8.0.2", 50);
  ASSERT_EQ(rig.send(client, up, kStart + 5s).way, Way::Tun);
  ASSERT_EQ(rig.read_tun(down, kStart + 6s).way, Way::Link);
  // What is dropped was no traffic of the tunnel's.
  ASSERT_EQ(rig.send(client, packet_between("10.8.0.3", "192.0.2.7", 100), kStart + 5s).way,
            Way::Dropped);

  const auto traffic = rig.datapath.traffic_of({1});

  ASSERT_TRUE(traffic);
  EXPECT_EQ(traffic->bytes_received, 2 * (up.size() + 24));
  EXPECT_EQ(traffic->bytes_sent, down.size() + 24);
  EXPECT_EQ(traffic->payload_bytes, up.size() + down.size());
  EXPECT_EQ(traffic->last_received, kStart + 5s);
}

TEST(Datapath, ForgetsASessionWithItsKeys) {
  const std::size_t before = SecretArena::slots_in_use();
  DatapathRig rig;
  rig.datapath.handle_command(AddSession{.peer_id = {1}, .endpoint = test::endpoint_of({1})},
                              kStart);
  rig.datapath.handle_command(
      InstallKeys{.peer_id = {1}, .keys = test::make_keys({0}, 1, DataCipher::ChaCha20Poly1305)},
      kStart);
  EXPECT_GT(SecretArena::slots_in_use(), before);

  rig.datapath.handle_command(RemoveSession{.peer_id = {1}}, kStart);

  EXPECT_EQ(rig.datapath.session_count(), 0u);
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

TEST(Datapath, IgnoresCommandsForSessionsThatAreGone) {
  DatapathRig rig;
  rig.datapath.handle_command(InstallKeys{.peer_id = {3}, .keys = test::make_keys({0}, 1)}, kStart);
  rig.datapath.handle_command(ConfirmKey{.peer_id = {3}, .key_id = {0}}, kStart);
  rig.datapath.handle_command(RemoveSession{.peer_id = {3}}, kStart);
  rig.datapath.handle_command(RemoveRoute{.prefix = test::prefix("10.8.0.2/32"), .peer_id = {3}},
                              kStart);
  rig.datapath.handle_command(Stop{}, kStart);

  EXPECT_EQ(rig.datapath.session_count(), 0u);
}

TEST(Datapath, StopsRoutingToAPeerWhoseRouteIsRemoved) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32", "172.16.5.0/24"});
  rig.datapath.handle_command(RemoveRoute{.prefix = test::prefix("172.16.5.0/24"), .peer_id = {1}},
                              kStart);

  EXPECT_EQ(rig.read_tun(packet_between("192.0.2.7", "172.16.5.1")).drop, Drop::NoRoute);
  EXPECT_EQ(rig.send(client, packet_between("172.16.5.1", "192.0.2.7")).drop, Drop::SpoofedSource);
}

TEST(Datapath, GivesANewSessionOfAnOldIdAFreshStart) {
  DatapathRig rig;
  RigClient& old_client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet old_datagram = old_client.seal(packet_between("10.8.0.2", "192.0.2.7"));
  ASSERT_EQ(rig.send(old_client, packet_between("10.8.0.2", "192.0.2.7")).way, Way::Tun);
  rig.datapath.handle_command(AddSession{.peer_id = {1}, .endpoint = old_client.endpoint}, kStart);
  EXPECT_EQ(rig.datapath.session_count(), 1u);
  EXPECT_EQ(rig.datapath.traffic_of({1})->bytes_received, 0u);

  EXPECT_EQ(rig.receive(old_datagram, old_client.endpoint).drop, Drop::UnknownKey);
}

TEST(Datapath, ChangesKeysWithoutLosingAPacketInEitherDirection) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  const Packet up = packet_between("10.8.0.2", "192.0.2.7");
  const Packet down = packet_between("192.0.2.7", "10.8.0.2");
  const Packet in_flight = client.seal(up);
  DataKeys server_keys = test::make_keys({1}, 77);
  server_keys.send_from = kStart + 60s;
  DataKeys client_keys = test::make_peer_keys({1}, 77);
  client_keys.send_from = kStart + 30s;
  rig.install(client, std::move(server_keys), client_keys);
  client.session->keys().confirm({1});

  // Both still send under the old key.
  EXPECT_EQ(rig.receive(in_flight, client.endpoint, kStart + 1s).way, Way::Tun);
  EXPECT_EQ(client.open(rig.read_tun(down, kStart + 1s).packet, kStart + 1s), down);
  EXPECT_EQ(rig.buffer[0], 0x48);
  // The client goes first, and the server follows at once.
  EXPECT_EQ(rig.send(client, up, kStart + 30s).way, Way::Tun);
  EXPECT_EQ(client.open(rig.read_tun(down, kStart + 30s).packet, kStart + 30s), down);
  EXPECT_EQ(rig.buffer[0], 0x49);
}

TEST(Datapath, SendsUnderANewKeyOnceItIsConfirmedAndItsTimeHasCome) {
  DatapathRig rig;
  RigClient& client = rig.connect({1}, {"10.8.0.2/32"});
  DataKeys keys = test::make_keys({1}, 77);
  keys.send_from = kStart;
  keys.previous_expires_at = kStart + 1h;
  rig.install(client, std::move(keys), test::make_peer_keys({1}, 77));
  const Packet down = packet_between("192.0.2.7", "10.8.0.2");
  ASSERT_EQ(rig.read_tun(down).way, Way::Link);
  ASSERT_EQ(rig.buffer[0], 0x48);

  rig.datapath.handle_command(ConfirmKey{.peer_id = {1}, .key_id = {1}}, kStart);

  ASSERT_EQ(rig.read_tun(down).way, Way::Link);
  EXPECT_EQ(rig.buffer[0], 0x49);
}

TEST(Datapath, HasRoomForTenThousandSessions) {
  DatapathSettings settings = test::rig_settings();
  settings.sessions_max = 100;
  DatapathRig rig(settings);
  for (std::uint32_t peer = 0; peer < 10'000; ++peer) {
    rig.datapath.handle_command(AddSession{.peer_id = {peer},
                                           .endpoint = test::endpoint_of({peer}),
                                           .settings = {.ping_interval = 10s}},
                                kStart);
  }
  EXPECT_EQ(rig.datapath.session_count(), 10'000u);
  for (std::uint32_t peer = 0; peer < 10'000; ++peer)
    rig.datapath.handle_command(RemoveSession{.peer_id = {peer}}, kStart);
  EXPECT_EQ(rig.datapath.session_count(), 0u);
}

}  // namespace
}  // namespace ringway
