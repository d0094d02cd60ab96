#include "control/channel/key_negotiation.h"

#include <gtest/gtest.h>

#include "tests/support/channel_pair_setup.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using Phase = KeyNegotiation::Phase;

/// A server's and a client's negotiation of one KeyId, without wrapping and session ids.
struct NegotiationPair {
  explicit NegotiationPair(KeyId key_id = {0}) {
    const bool first = key_id == KeyId{0};
    server.emplace(
        KeyNegotiation::Setup{setup.server, server_tls, random, setup.server.options, 1000, key_id,
                              first ? std::nullopt : std::optional(Opcode::SoftResetV1)},
        now);
    client.emplace(
        KeyNegotiation::Setup{setup.client, client_tls, random, setup.client.options, 1000, key_id,
                              first ? Opcode::HardResetClientV2 : Opcode::SoftResetV1},
        now);
  }

  /// Carries what is due from one to the other until both are silent.
  void run() {
    for (bool moved = true; moved;) moved = carry(*client, *server) | carry(*server, *client);
  }
  bool carry(KeyNegotiation& from, KeyNegotiation& to) {
    ControlPacket packet;
    bool moved = false;
    while (from.poll_transmit(packet, now.instant)) {
      moved = true;
      // The stateless stage answers a client's first reset.
      if (packet.opcode == Opcode::HardResetClientV2) {
        answer_reset();
      } else {
        (void)to.handle_packet(packet, now);
      }
    }
    return moved;
  }
  void answer_reset() {
    (void)client->handle_packet({.opcode = Opcode::HardResetServerV2, .ack_count = 1}, now);
  }

  test::ChannelPairSetup setup;
  TlsContext server_tls = test::make_context(Side::Server, setup.server_tls);
  TlsContext client_tls = test::make_context(Side::Client, setup.client_tls);
  test::SeededRandom random{1};
  Now now{.instant = {100s}, .wall = test::kTestDay};
  std::optional<KeyNegotiation> server;
  std::optional<KeyNegotiation> client;
};

TEST(KeyNegotiation, WalksThroughItsPhases) {
  NegotiationPair pair;
  EXPECT_EQ(pair.client->phase(), Phase::Resetting);
  EXPECT_EQ(pair.server->phase(), Phase::Handshaking) << "the stateless stage did the resets";
  (void)pair.carry(*pair.client, *pair.server);
  EXPECT_EQ(pair.client->phase(), Phase::Handshaking);
  pair.run();
  EXPECT_EQ(pair.client->phase(), Phase::Active);
  EXPECT_EQ(pair.server->phase(), Phase::Active);
}

TEST(KeyNegotiation, HandsOutThePeersMessageOnce) {
  NegotiationPair pair;
  pair.run();
  const auto exchange = pair.server->take_peer_exchange();
  ASSERT_TRUE(exchange.has_value());
  EXPECT_EQ(exchange->options, pair.setup.client.options);
  EXPECT_FALSE(pair.server->take_peer_exchange().has_value());
  EXPECT_EQ(pair.client->take_peer_exchange()->options, pair.setup.server.options);
}

TEST(KeyNegotiation, SendsItsMessageAtOnceWhateverTheVerdictWillBe) {
  NegotiationPair pair;
  pair.run();
  EXPECT_TRUE(pair.client->take_peer_exchange().has_value());
  EXPECT_FALSE(pair.server->has_keys());
}

TEST(KeyNegotiation, GivesKeysOnceAndForgetsWhatTheyCameFrom) {
  for (const bool exported : {true, false}) {
    NegotiationPair pair;
    pair.run();
    (void)pair.server->take_peer_exchange();
    const std::size_t with_sources = SecretArena::slots_in_use();
    EXPECT_TRUE(pair.server->awaits_keys());
    {
      const auto keys = pair.server->derive_keys({.tls_key_export = exported}, {});
      ASSERT_TRUE(keys.has_value());
      EXPECT_TRUE(pair.server->has_keys());
    }
    EXPECT_LT(SecretArena::slots_in_use(), with_sources);
    EXPECT_FALSE(pair.server->awaits_keys());
    EXPECT_FALSE(pair.server->derive_keys({.tls_key_export = exported}, {}).has_value());
  }
}

TEST(KeyNegotiation, BeginsWithSoftResetsOfBothWhenItIsNotTheFirst) {
  NegotiationPair pair(KeyId{3});
  ControlPacket packet;
  ASSERT_TRUE(pair.server->poll_transmit(packet, pair.now.instant));
  EXPECT_EQ(packet.opcode, Opcode::SoftResetV1);
  EXPECT_EQ(packet.key_id, KeyId{3});
  EXPECT_EQ(packet.message_id, MessageId{0});
  EXPECT_EQ(packet.ack_count, 0);
  ASSERT_TRUE(pair.client->handle_packet(packet, pair.now).has_value());
  pair.run();
  EXPECT_EQ(pair.client->phase(), Phase::Active);
  EXPECT_EQ(pair.server->phase(), Phase::Active);
}

TEST(KeyNegotiation, RefusesResetsElsewhereAndOtherThingsInTheirPlace) {
  NegotiationPair pair(KeyId{1});
  const ControlPacket wrong[] = {
      {.opcode = Opcode::SoftResetV1, .key_id = {1}, .message_id = {1}},
      {.opcode = Opcode::HardResetClientV2, .key_id = {1}, .message_id = {0}},
      {.opcode = Opcode::ControlV1, .key_id = {1}, .message_id = {0}},
  };
  for (const ControlPacket& packet : wrong) {
    EXPECT_EQ(pair.server->handle_packet(packet, pair.now).error(), Drop::BadReset);
  }
  EXPECT_EQ(pair.server->handle_packet({.opcode = Opcode::ControlV1, .message_id = {500}}, pair.now)
                .error(),
            Drop::OutsideWindow);
  pair.run();
  EXPECT_EQ(pair.server->phase(), Phase::Active);
}

TEST(KeyNegotiation, AcknowledgesOnItsOwnOnlyWhenThereIsNothingToSend) {
  NegotiationPair pair;
  (void)pair.carry(*pair.client, *pair.server);  // The reset, and the ClientHello that follows.
  ControlPacket packet;
  ASSERT_TRUE(pair.server->poll_transmit(packet, pair.now.instant));
  EXPECT_EQ(packet.opcode, Opcode::ControlV1) << "the ServerHello carries the acknowledgement";
  EXPECT_EQ(packet.ack_count, 1);
  EXPECT_EQ(packet.ack_ids[0], MessageId{1});

  ASSERT_TRUE(pair.client->handle_packet(packet, pair.now).has_value());
  pair.run();
  ASSERT_TRUE(pair.client->is_active());
  ASSERT_TRUE(pair.client->send_text("EXIT", pair.now.instant));
  (void)pair.carry(*pair.client, *pair.server);
  ASSERT_TRUE(pair.server->poll_transmit(packet, pair.now.instant));
  EXPECT_EQ(packet.opcode, Opcode::AckV1);
  EXPECT_FALSE(pair.server->poll_transmit(packet, pair.now.instant));
  EXPECT_EQ(pair.server->take_records(), std::vector<std::string>{std::string("EXIT\0", 5)});
}

TEST(KeyNegotiation, FailsOnAMalformedKeyExchange) {
  NegotiationPair pair;
  // The longest options string is 511 bytes.
  const std::string options(512, 'o');
  pair.client.emplace(KeyNegotiation::Setup{pair.setup.client, pair.client_tls, pair.random,
                                            options, 1000, KeyId{0}, Opcode::HardResetClientV2},
                      pair.now);
  pair.run();
  EXPECT_TRUE(pair.server->has_failed());
  EXPECT_EQ(pair.server->failure(), name_of(KeyExchangeFault::BadString));
  EXPECT_FALSE(pair.server->awaits_keys());
}

}  // namespace
}  // namespace ringway
