#include "control/client_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/control/client_core_fixture.h"

namespace ringway::test {
namespace {

using Cause = ClientDisconnected::Cause;

TEST_F(ClientCoreTest, ConnectsAndSaysWhatItWasTold) {
  EXPECT_FALSE(client_.is_connected());
  EXPECT_FALSE(client_.peer_id().is_set());

  exchange();

  ASSERT_TRUE(client_.is_connected());
  EXPECT_EQ(client_.peer_id(), PeerId{5});
  ASSERT_NE(last<ClientConnected>(), nullptr);
  EXPECT_EQ(last<ClientConnected>()->push.options, server_.push.options);
}

TEST_F(ClientCoreTest, AnnouncesWhatItDoesAndNothingElse) {
  exchange();

  ASSERT_TRUE(server_.asked);
  const PeerInfo& info = server_.asked->peer_info;
  EXPECT_EQ(info.find("IV_CIPHERS"), "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305");
  EXPECT_EQ(info.find("IV_NCP"), "2");
  EXPECT_EQ(info.find("IV_PLAT"), "linux");
  EXPECT_TRUE(info.has(ProtoBit::DataV2) && info.has(ProtoBit::TlsKeyExport) &&
              info.has(ProtoBit::ExitNotify) && info.has(ProtoBit::RequestPush) &&
              info.has(ProtoBit::AuthFailedTemp) && info.has(ProtoBit::DynamicTlsCrypt) &&
              info.has(ProtoBit::DataEpoch));
  EXPECT_TRUE(info.has(ProtoBit::PushUpdate));
  EXPECT_NE(server_.asked->options.find("tls-client"), std::string::npos);
}

TEST_F(ClientCoreTest, CarriesPacketsBothWays) {
  exchange();
  const std::vector<std::uint8_t> packet(100, 0x45);
  std::array<std::uint8_t, 2048> out;

  auto up = client_.handle_packet(packet, out, now_);
  ASSERT_TRUE(up);
  std::vector<std::uint8_t> datagram(up->begin(), up->end());
  server_.handle_datagram(datagram, now_);
  auto down = server_.session->seal(packet, out, now_.instant);
  ASSERT_TRUE(down);
  const auto opened = client_.handle_datagram(*down, now_);

  EXPECT_EQ(server_.received, std::vector{PayloadKind::Packet});
  ASSERT_TRUE(opened);
  EXPECT_TRUE(std::ranges::equal(opened->packet, packet));
}

TEST_F(ClientCoreTest, SealsAPacketThatLiesInPlace) {
  exchange();
  test::SeededRandom dice(7);
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{1500}}) {
    std::vector<std::uint8_t> packet(size);
    dice.fill(packet);
    packet.front() = 0x45;
    std::vector<std::uint8_t> room(client_.seal_overhead() + size);
    const MutableBytes place = MutableBytes(room).subspan(client_.seal_overhead());
    std::ranges::copy(packet, place.begin());

    const auto sealed = client_.handle_packet(place, room, now_);

    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->data(), room.data());
    EXPECT_EQ(sealed->size(), room.size());
    const auto header = parse_data_header(*sealed);
    ASSERT_TRUE(header);
    const auto opened = server_.session->open(*header, *sealed, now_.instant);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(std::ranges::equal(opened->payload, packet));
  }
}

TEST_F(ClientCoreTest, SendsNoPacketBeforeItIsConnected) {
  const std::vector<std::uint8_t> packet(100, 0x45);
  std::array<std::uint8_t, 2048> out;

  EXPECT_FALSE(client_.handle_packet(packet, out, now_));
  EXPECT_EQ(client_.drops()[static_cast<std::size_t>(Drop::NoKey)], 1u);
}

TEST_F(ClientCoreTest, OpensNoPacketTwice) {  // A19
  exchange();
  std::array<std::uint8_t, 2048> out;
  const auto sealed = server_.session->seal(bytes_of("hello"), out, now_.instant);
  ASSERT_TRUE(sealed);
  std::vector<std::uint8_t> replay(sealed->begin(), sealed->end());

  EXPECT_TRUE(client_.handle_datagram(*sealed, now_));
  EXPECT_FALSE(client_.handle_datagram(replay, now_));
  EXPECT_EQ(client_.drops()[static_cast<std::size_t>(Drop::Replay)], 1u);
}

TEST_F(ClientCoreTest, SurvivesNoise) {  // A16
  exchange();
  test::SeededRandom dice(9);
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> noise(random_below(dice, 100));
    dice.fill(noise);
    EXPECT_FALSE(client_.handle_datagram(noise, now_));
  }
  exchange();

  EXPECT_TRUE(client_.is_connected());
}

TEST_F(ClientCoreTest, PingsWhenItHasSentNothing) {
  exchange();
  EXPECT_LE(*client_.poll_timeout(), now_.instant + 10s);

  pass(10s);

  EXPECT_EQ(server_.received, std::vector{PayloadKind::Ping});
}

TEST_F(ClientCoreTest, LeavesByTheControlChannelWhereTheServerWantsThat) {
  exchange();

  client_.leave(now_);
  exchange();

  EXPECT_EQ(server_.goodbye, "EXIT");
  EXPECT_EQ(last<ClientDisconnected>(), nullptr);
  pass(ClientCore::kLeaveGrace);
  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Left);
  EXPECT_EQ(client_.poll_timeout(), std::nullopt);
}

TEST_F(ClientCoreTest, LeavesByTheDataChannelOtherwise) {
  server_.push.options = {"peer-id 5", "cipher AES-256-GCM", "key-derivation tls-ekm",
                          "explicit-exit-notify 2"};
  exchange();

  client_.leave(now_);
  exchange();
  pass(1s);

  EXPECT_EQ(server_.received, (std::vector{PayloadKind::Exit, PayloadKind::Exit}));
  EXPECT_FALSE(server_.goodbye);
  pass(1s);
  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Left);
}

TEST_F(ClientCoreTest, GivesUpWhenItIsNotWanted) {
  server_.rejection = "go away";

  exchange();

  EXPECT_FALSE(client_.is_connected());
  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::AuthFailed);
  EXPECT_EQ(last<ClientDisconnected>()->reason, "go away");
}

TEST_F(ClientCoreTest, GivesUpWhenTheServerWantsWhatItCannotDo) {
  server_.push.options = {"peer-id 5", "cipher AES-256-CBC"};

  exchange();

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Failed);
}

TEST_F(ClientCoreTest, TellsRestartFromHalt) {
  exchange();
  server_.channel->send_message("HALT,bye", now_);
  exchange();

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::ServerHalt);
  EXPECT_FALSE(client_.is_connected());
}

TEST_F(ClientCoreTest, GivesUpWhenNobodyAnswers) {
  for (int i = 0; i < 70; ++i) {
    now_.instant = now_.instant + 1s;
    client_.handle_timeout(now_);
    while (client_.poll_transmit(scratch_, now_)) continue;
  }
  exchange();

  ASSERT_NE(last<ClientDisconnected>(), nullptr);
  EXPECT_EQ(last<ClientDisconnected>()->cause, Cause::Failed);
}

TEST_F(ClientCoreTest, RenegotiatesAndGoesOnUnderEitherKey) {
  exchange();
  std::array<std::uint8_t, 2048> out;
  const auto old = server_.session->seal(bytes_of("under the old key"), out, now_.instant);
  ASSERT_TRUE(old);
  std::vector<std::uint8_t> late(old->begin(), old->end());

  now_.instant = now_.instant + 10s;
  client_.renegotiate(now_);
  exchange();

  ASSERT_NE(last<ClientRekeyed>(), nullptr);
  EXPECT_EQ(last<ClientRekeyed>()->key_id, KeyId{1});
  EXPECT_TRUE(client_.handle_datagram(late, now_));
}

}  // namespace
}  // namespace ringway::test
