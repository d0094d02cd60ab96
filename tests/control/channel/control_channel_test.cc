#include "control/channel/control_channel.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "control/channel/reliable_sender.h"
#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/channel_pair.h"

namespace ringway {
namespace {

using test::ChannelPair;
using test::ChannelPairSetup;

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// What one end seals, the other opens, and the two directions differ.
void expect_same_keys(const ChannelPair& pair) {
  const auto* server = pair.last<KeysReady>(Side::Server);
  const auto* client = pair.last<KeysReady>(Side::Client);
  ASSERT_NE(server, nullptr);
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(server->keys.key_id, client->keys.key_id);
  EXPECT_EQ(copy(server->keys.seal.material.bytes()), copy(client->keys.open.material.bytes()));
  EXPECT_EQ(copy(server->keys.open.material.bytes()), copy(client->keys.seal.material.bytes()));
  EXPECT_NE(copy(server->keys.open.material.bytes()), copy(server->keys.seal.material.bytes()));
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ControlChannel, ConnectsAndAgreesOnKeysUnderEveryWrapping) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPairSetup setup;
    setup.server_wrap = std::move(wraps.server);
    setup.client_wrap = std::move(wraps.client);
    ChannelPair pair(std::move(setup));

    ASSERT_TRUE(pair.connect(1s));
    pair.run_for(1s);

    expect_same_keys(pair);
    EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->certificate.common_name, "client1");
    EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->peer_info.proto(), 990u);
    EXPECT_EQ(pair.last<PushReceived>(Side::Client)->reply.options.size(), 2u);
    EXPECT_EQ(pair.count<ControlActive>(Side::Server), 1u);
    EXPECT_EQ(pair.count<PushReceived>(Side::Client), 1u);
    EXPECT_EQ(pair.server().local_session(), pair.client().remote_session());
    EXPECT_EQ(pair.client().tls_description(), "TLSv1.3, TLS_AES_256_GCM_SHA384");
    EXPECT_TRUE(pair.server().is_established());
    EXPECT_EQ(pair.server().poll_timeout(),
              std::max(pair.server().poll_timeout(), std::optional(pair.now().instant)))
        << "nothing is due";
  }
}

TEST(ControlChannel, SpeaksTls12AndThePrfWithOldClients) {
  ChannelPairSetup setup;
  setup.admission = {.cipher = DataCipher::Aes128Gcm, .tls_key_export = false};
  ChannelPair pair(std::move(setup));
  SSL_CTX_set_max_proto_version(pair.client_tls().native(), TLS1_2_VERSION);

  ASSERT_TRUE(pair.connect(1s));

  expect_same_keys(pair);
  EXPECT_EQ(pair.last<KeysReady>(Side::Server)->keys.cipher, DataCipher::Aes128Gcm);
  EXPECT_TRUE(contains(pair.server().tls_description(), "TLSv1.2"));
}

TEST(ControlChannel, DerivesOtherKeysByExporterThanByPrf) {
  // A server that mistakes the method gets a working control channel and a dead data channel.
  ChannelPair pair{ChannelPairSetup()};
  pair.setup().admission.tls_key_export = true;
  pair.run_until([&] { return pair.count<KeysReady>(Side::Server) == 1; }, 1s);
  pair.setup().admission.tls_key_export = false;
  ASSERT_TRUE(pair.connect(1s));
  EXPECT_NE(copy(pair.last<KeysReady>(Side::Server)->keys.seal.material.bytes()),
            copy(pair.last<KeysReady>(Side::Client)->keys.open.material.bytes()));
}

// What the third packet of 2.4 and 2.5 looks like: a bare ACK_V1, and a ClientHello without acks.
TEST(ControlChannel, TakesOldClientsThatNeverPiggybackTheirAcks) {
  ChannelPair pair{ChannelPairSetup()};
  pair.tap([&](Side sender, std::vector<std::uint8_t>& datagram) {
    const auto packet = decode_control_packet(datagram);
    if (sender == Side::Server || packet->ack_count == 0 || !packet->has_message()) return true;
    ControlPacket acks = *packet;
    acks.opcode = Opcode::AckV1;
    ControlPacket message = *packet;
    message.ack_count = 0;
    pair.inject(Side::Client, test::encode(acks));
    pair.inject(Side::Client, test::encode(message));
    return false;
  });
  ASSERT_TRUE(pair.connect(1s));
  expect_same_keys(pair);
}

TEST(ControlChannel, RaisesKeysBeforeItSendsWhatLetsTheClientUseThem) {
  ChannelPair pair{ChannelPairSetup()};
  ASSERT_TRUE(pair.connect(1s));
  const auto& events = pair.events(Side::Server);
  ASSERT_GE(events.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<AuthRequested>(events[0]));
  EXPECT_TRUE(std::holds_alternative<KeysReady>(events[1]));
  EXPECT_TRUE(std::holds_alternative<ControlActive>(events[2]));
}

TEST(ControlChannel, BecomesActiveWhileTheAdmissionIsPending) {
  ChannelPairSetup setup;
  setup.admits = false;
  ChannelPair pair(std::move(setup));
  pair.run_for(40s);
  EXPECT_EQ(pair.count<ControlActive>(Side::Server), 1u);
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 0u);
  EXPECT_GE(pair.count<PushRequested>(Side::Server), 7u) << "the client keeps asking";
  EXPECT_FALSE(pair.server().is_established());

  pair.server().admit({}, pair.now());
  pair.server().send_push_reply(pair.setup().push, pair.now());
  pair.drain();
  ASSERT_TRUE(pair.connect(1s));
  expect_same_keys(pair);
}

TEST(ControlChannel, KeepsItsDatagramsSmallAndItsWindowWithinThePeers) {
  ChannelPairSetup setup;
  // A chain that takes many datagrams.
  for (int i = 0; i < 16; ++i) setup.server_tls.cert_pem += test::kCaPem;
  ChannelPair pair(std::move(setup));
  std::size_t largest = 0;
  std::uint32_t highest = 0;
  std::size_t burst = 0;
  Instant burst_at;
  pair.tap([&](Side sender, const std::vector<std::uint8_t>& datagram) {
    largest = std::max(largest, datagram.size());
    if (sender == Side::Client) return true;
    const auto packet = decode_control_packet(datagram);
    if (packet->has_message() && packet->message_id.value > highest) {
      highest = packet->message_id.value;
      burst = pair.now().instant == burst_at ? burst + 1 : 1;
      burst_at = pair.now().instant;
      EXPECT_LE(burst, ReliableSender::kWindow);
    }
    EXPECT_LE(packet->ack_count, packet->has_message() ? 4 : 8);
    return true;
  });
  ASSERT_TRUE(pair.connect(5s));
  EXPECT_GT(highest, ReliableSender::kWindow);
  EXPECT_LE(largest + 48, 1250u);
}

TEST(ControlChannel, ConnectsOverBadLinks) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ChannelPairSetup setup;
    test::WrapPair wraps = std::move(test::channel_wraps()[seed % 4]);
    setup.server_wrap = std::move(wraps.server);
    setup.client_wrap = std::move(wraps.client);
    setup.seed = seed;
    setup.loss = 0.15;
    setup.duplication = 0.1;
    setup.jitter = 200ms;
    setup.admission.tls_key_export = seed % 2 == 0;
    ChannelPair pair(std::move(setup));
    ASSERT_TRUE(pair.connect(60s));
    expect_same_keys(pair);
  }
}

// Conformance test 15.5.3 of docs/WIRE.md.
TEST(ControlChannel, ConnectsWithin15SecondsWhicheverDatagramIsLost) {
  for (int lost = 0; lost < 12; ++lost) {
    SCOPED_TRACE(lost);
    ChannelPair pair{ChannelPairSetup()};
    int sent = 0;
    pair.tap([&](Side, std::vector<std::uint8_t>&) { return sent++ != lost; });
    ASSERT_TRUE(pair.connect(15s));
  }
}

TEST(ControlChannel, TellsARefusedClientByTlsAlertAndCloses) {
  struct Row {
    const char* why;
    std::string_view cert;
    std::string_view key;
    const char* reason;
  };
  for (const Row& row :
       {Row{"another CA", test::kForeignClientCertPem, test::kForeignClientKeyPem, "stranger"},
        Row{"revoked", test::kRevokedClientCertPem, test::kRevokedClientKeyPem, "revoked"},
        Row{"no certificate", "", "", "did not return a certificate"}}) {
    SCOPED_TRACE(row.why);
    ChannelPairSetup setup;
    setup.server_tls.crl_pem = test::kCrlPem;
    setup.client_tls.cert_pem = row.cert;
    setup.client_tls.key_pem = row.key;
    ChannelPair pair(std::move(setup));

    pair.run_for(10s);

    EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 0u);
    ASSERT_EQ(pair.count<Closed>(Side::Server), 1u);
    EXPECT_TRUE(contains(pair.last<Closed>(Side::Server)->reason, row.reason))
        << pair.last<Closed>(Side::Server)->reason;
    ASSERT_EQ(pair.count<Closed>(Side::Client), 1u);
    EXPECT_TRUE(contains(pair.last<Closed>(Side::Client)->reason, "alert"))
        << pair.last<Closed>(Side::Client)->reason;
    EXPECT_EQ(pair.server().poll_timeout(), std::nullopt);
  }
}

TEST(ControlChannel, RefusesAServerThatItsCaDidNotSign) {
  ChannelPairSetup setup;
  setup.server_tls.cert_pem = test::kForeignServerCertPem;
  setup.server_tls.key_pem = test::kForeignServerKeyPem;
  ChannelPair pair(std::move(setup));
  pair.run_for(10s);
  EXPECT_TRUE(contains(pair.last<Closed>(Side::Client)->reason, "impostor"));
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 0u);
  EXPECT_EQ(pair.count<Closed>(Side::Server), 1u);
}

TEST(ControlChannel, GivesUpAfterTheHandWindow) {
  ChannelPair pair{ChannelPairSetup()};
  // The client vanishes after its ClientHello.
  int sent = 0;
  pair.tap([&](Side sender, std::vector<std::uint8_t>&) {
    return sender == Side::Server || ++sent <= 2;
  });
  pair.run_for(59s);
  ASSERT_TRUE(pair.has_server());
  EXPECT_EQ(pair.count<Closed>(Side::Server), 0u);
  pair.run_for(2s);
  EXPECT_EQ(pair.count<Closed>(Side::Server), 1u);
  EXPECT_EQ(pair.count<Closed>(Side::Client), 1u);
  EXPECT_EQ(pair.client().poll_timeout(), std::nullopt);
}

TEST(ControlChannel, RetransmitsUnderANewReplayStamp) {
  ChannelPairSetup setup;
  test::WrapPair wraps = std::move(test::channel_wraps()[3]);
  setup.server_wrap = std::move(wraps.server);
  setup.client_wrap = std::move(wraps.client);
  ChannelPair pair(std::move(setup));
  std::vector<std::vector<std::uint8_t>> seen;
  pair.tap([&](Side, const std::vector<std::uint8_t>& datagram) {
    EXPECT_EQ(std::ranges::find(seen, datagram), seen.end());
    seen.push_back(datagram);
    return seen.size() % 3 != 0;
  });
  ASSERT_TRUE(pair.connect(60s));
}

TEST(ControlChannel, RemembersWhenItLastHeardFromThePeer) {
  ChannelPair pair{ChannelPairSetup()};
  ASSERT_TRUE(pair.connect(1s));
  pair.run_for(10s);
  const Instant before = pair.server().last_received();
  pair.run_for(10s);
  EXPECT_EQ(pair.server().last_received(), before);
  pair.client().send_message("INFO,hello", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_GT(pair.server().last_received(), before + 10s);
}

TEST(ControlChannel, LeavesNoSecretBehind) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    ChannelPairSetup setup;
    setup.admits = false;
    ChannelPair pair(std::move(setup));
    pair.run_for(5s);
    EXPECT_GT(SecretArena::slots_in_use(), before);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

}  // namespace
}  // namespace ringway
