#include <gtest/gtest.h>

#include "control/channel/control_channel.h"
#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/channel_pair.h"

/// Renegotiation of a ControlChannel.
namespace ringway {
namespace {

using test::ChannelPair;
using test::ChannelPairSetup;

std::vector<std::uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void expect_same_keys(const ChannelPair& pair, KeyId key_id) {
  const DataKeys& server = pair.last<KeysReady>(Side::Server)->keys;
  const DataKeys& client = pair.last<KeysReady>(Side::Client)->keys;
  EXPECT_EQ(server.key_id, key_id);
  EXPECT_EQ(client.key_id, key_id);
  EXPECT_EQ(copy(server.seal.material.bytes()), copy(client.open.material.bytes()));
  EXPECT_EQ(copy(server.open.material.bytes()), copy(client.seal.material.bytes()));
}

/// A pair that connected a while ago.
struct Connected : ChannelPair {
  explicit Connected(ChannelPairSetup initial = {}) : ChannelPair(std::move(initial)) {
    EXPECT_TRUE(connect(60s));
    run_for(ControlChannel::kRenegotiationGap + 1s);
  }
};

/// How many renegotiations ended in this way.
std::size_t finished(const ChannelPair& pair, Side side, bool succeeded) {
  return static_cast<std::size_t>(
      std::ranges::count_if(pair.events(side), [&](const ControlEvent& event) {
        const auto* finish = std::get_if<Renegotiated>(&event);
        return finish != nullptr && finish->succeeded == succeeded;
      }));
}

TEST(Renegotiation, IsDoneAtTheWishOfEitherEnd) {
  for (const Side side : {Side::Server, Side::Client}) {
    Connected pair;
    (side == Side::Server ? pair.server() : pair.client()).renegotiate(pair.now());
    pair.drain();
    pair.run_for(1s);

    ASSERT_TRUE(pair.is_connected(2));
    expect_same_keys(pair, KeyId{1});
    EXPECT_EQ(finished(pair, Side::Server, true), 1u);
    EXPECT_EQ(finished(pair, Side::Client, true), 1u);
    EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 2u);
    EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->key_id, KeyId{1});
    EXPECT_EQ(pair.last<AuthRequested>(Side::Server)->certificate.common_name, "client1");
    EXPECT_EQ(pair.count<ControlActive>(Side::Server), 1u);
    EXPECT_EQ(pair.count<PushReceived>(Side::Client), 1u);
  }
}

// B04: what the first negotiation agreed on holds, whatever is said later.
TEST(Renegotiation, DerivesKeysAsTheFirstNegotiationDid) {
  ChannelPairSetup setup;
  setup.admission.tls_key_export = true;
  Connected pair(std::move(setup));
  pair.setup().admission.tls_key_export = false;
  pair.server().renegotiate(pair.now());
  pair.drain();

  pair.run_for(1s);
  expect_same_keys(pair, KeyId{1});
}

TEST(Renegotiation, IsOneWhenBothEndsBeginAtOnce) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPairSetup setup;
    setup.server_wrap = std::move(wraps.server);
    setup.client_wrap = std::move(wraps.client);
    Connected pair(std::move(setup));
    pair.server().renegotiate(pair.now());
    pair.client().renegotiate(pair.now());
    pair.drain();
    pair.run_for(1s);
    ASSERT_TRUE(pair.is_connected(2));
    pair.run_for(10s);
    EXPECT_FALSE(pair.is_connected(3));
    expect_same_keys(pair, KeyId{1});
  }
}

TEST(Renegotiation, HasAProtectionOfItsOwnWhereBothEndsKnowIt) {
  for (test::WrapPair& wraps : test::channel_wraps()) {
    SCOPED_TRACE(wraps.name);
    ChannelPairSetup setup;
    setup.server_wrap = std::move(wraps.server);
    setup.client_wrap = std::move(wraps.client);
    setup.admission.dynamic_tls_crypt = true;
    Connected pair(std::move(setup));
    // What is left of the first negotiation goes on under its own protection; from here on nothing
    // of a later one can be read with that.
    std::size_t readable = 0;
    pair.tap([&](Side sender, std::vector<std::uint8_t>& datagram) {
      const TlsWrap& wrap =
          sender == Side::Server ? pair.setup().client_wrap : pair.setup().server_wrap;
      std::vector<std::uint8_t> scratch(datagram.size());
      const auto unwrapped = wrap.unwrap(datagram, scratch);
      if (!wrap.is_protected() || key_id_of(datagram[0]) == KeyId{0} || !unwrapped) return true;
      readable += decode_control_packet(unwrapped->plain) ? 1 : 0;
      return true;
    });

    for (std::size_t round = 2; round < 12; ++round) {
      (round % 2 == 0 ? pair.server() : pair.client()).renegotiate(pair.now());
      pair.drain();
      pair.run_for(ControlChannel::kRenegotiationGap + 1s);
      ASSERT_TRUE(pair.is_connected(round)) << round;
    }
    EXPECT_EQ(readable, 0u);
  }
}

TEST(Renegotiation, ComesByItselfWithinTheServersRange) {
  std::vector<Duration> starts;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    ChannelPairSetup setup;
    setup.seed = seed;
    setup.server.renegotiate = 100s;
    setup.server.renegotiate_min = 50s;
    setup.client.renegotiate = 0s;
    ChannelPair pair(std::move(setup));
    ASSERT_TRUE(pair.connect(1s));
    const Instant begin = pair.now().instant;
    ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(2); }, 101s));
    starts.push_back(pair.now().instant - begin);
    EXPECT_GE(starts.back(), 49s);
  }
  EXPECT_NE(std::ranges::min(starts), std::ranges::max(starts));
}

TEST(Renegotiation, NeverComesByItselfWhenTurnedOff) {
  ChannelPairSetup setup;
  setup.server.renegotiate = 0s;
  setup.client.renegotiate = 0s;
  ChannelPair pair(std::move(setup));
  ASSERT_TRUE(pair.connect(1s));
  pair.run_for(100h);
  EXPECT_FALSE(pair.is_connected(2));
}

TEST(Renegotiation, CyclesThroughTheKeyIdsOneToSeven) {
  ChannelPairSetup setup;
  setup.server.renegotiate = 20s;
  setup.server.renegotiate_min = 20s;
  setup.loss = 0.05;
  ChannelPair pair(std::move(setup));
  for (std::size_t i = 0; i < 17; ++i) {
    ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(i + 1); }, 200s)) << i;
    const std::uint8_t expected = i == 0 ? 0 : static_cast<std::uint8_t>((i - 1) % 7 + 1);
    expect_same_keys(pair, KeyId{expected});
  }
}

TEST(Renegotiation, LetsTheNewKeyRestAndTheOldOneLive) {
  Connected pair;
  const DataKeys& first = pair.last<KeysReady>(Side::Server)->keys;
  EXPECT_LE(first.send_from, pair.now().instant);
  const Instant begin = pair.now().instant;
  pair.server().renegotiate(pair.now());
  pair.drain();
  ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(2); }, 1s));
  const DataKeys& second = pair.last<KeysReady>(Side::Server)->keys;
  EXPECT_EQ(second.send_from, begin + 60s);
  EXPECT_EQ(second.previous_expires_at, begin + 3600s);
}

TEST(Renegotiation, LetsTheNewKeyRestForHalfAShortInterval) {
  ChannelPairSetup setup;
  setup.server.renegotiate = 30s;
  setup.server.renegotiate_min = 30s;
  ChannelPair pair(std::move(setup));
  ASSERT_TRUE(pair.connect(1s));
  ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(2); }, 31s));
  EXPECT_LE(pair.last<KeysReady>(Side::Server)->keys.send_from, pair.now().instant + 15s);
}

TEST(Renegotiation, ThatFailsLeavesTheKeysInUseAlone) {
  Connected pair;
  bool cut = true;
  // Only the resets get through: the link breaks in the middle of the handshake.
  pair.tap([&](Side, const std::vector<std::uint8_t>& datagram) {
    return !cut || opcode_of(datagram[0]) == Opcode::SoftResetV1;
  });
  pair.server().renegotiate(pair.now());
  pair.drain();
  pair.run_for(70s);

  EXPECT_EQ(finished(pair, Side::Server, false), 1u);
  EXPECT_EQ(finished(pair, Side::Client, false), 1u);
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 1u);
  EXPECT_EQ(pair.count<Closed>(Side::Server), 0u);
  EXPECT_EQ(pair.count<Closed>(Side::Client), 0u);

  cut = false;
  pair.server().send_message("INFO,still here", pair.now());
  pair.drain();
  ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(2); }, 130s)) << "it is tried again";
  EXPECT_EQ(pair.last<MessageReceived>(Side::Client)->text, "INFO,still here");
  expect_same_keys(pair, pair.last<KeysReady>(Side::Client)->keys.key_id);
}

TEST(Renegotiation, ThatNobodyHeardIsTriedAgainUnderTheSameKeyId) {
  Connected pair;
  bool cut = true;
  pair.tap([&](Side, const std::vector<std::uint8_t>&) { return !cut; });
  pair.server().renegotiate(pair.now());
  pair.drain();
  pair.run_for(61s);
  EXPECT_EQ(finished(pair, Side::Server, false), 1u);

  cut = false;
  pair.server().renegotiate(pair.now());
  pair.drain();
  pair.run_for(1s);
  ASSERT_TRUE(pair.is_connected(2));
  expect_same_keys(pair, KeyId{1});
}

TEST(Renegotiation, OfARevokedClientFailsAndLeavesTheDecisionToTheOwner) {
  ChannelPairSetup setup;
  setup.client_tls.cert_pem = test::kRevokedClientCertPem;
  setup.client_tls.key_pem = test::kRevokedClientKeyPem;
  Connected pair(std::move(setup));
  ASSERT_TRUE(pair.server_tls().replace_crl(std::string(test::kCrlPem), test::kTestDay));
  pair.server().renegotiate(pair.now());
  pair.drain();
  pair.run_for(2s);
  EXPECT_EQ(finished(pair, Side::Server, false), 1u);
  EXPECT_EQ(finished(pair, Side::Client, false), 1u) << "the alert arrived";
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 1u);
  EXPECT_EQ(pair.count<Closed>(Side::Server), 0u);
}

TEST(Renegotiation, KeepsTheCipherAndTheDerivationOfTheFirst) {
  ChannelPairSetup setup;
  setup.admission = {.cipher = DataCipher::ChaCha20Poly1305, .tls_key_export = true};
  Connected pair(std::move(setup));
  pair.setup().admission = {.cipher = DataCipher::Aes128Gcm, .tls_key_export = false};
  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(1s);
  ASSERT_TRUE(pair.is_connected(2));
  expect_same_keys(pair, KeyId{1});
  EXPECT_EQ(pair.last<KeysReady>(Side::Server)->keys.cipher, DataCipher::ChaCha20Poly1305);
}

// Security goal B12.
TEST(Renegotiation, AtThePeersWishIsNotDoneTooOften) {
  Connected pair;
  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(1s);
  ASSERT_TRUE(pair.is_connected(2));

  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(3s);
  EXPECT_FALSE(pair.is_connected(3));
  EXPECT_GT(pair.server().drops()[static_cast<std::size_t>(Drop::WrongKeyId)], 0u);
  pair.run_for(5s);
  EXPECT_TRUE(pair.is_connected(3)) << "the reset is retransmitted until the time has come";
}

TEST(Renegotiation, IsNotBegunTwiceNorBeforeTheFirstHasFinished) {
  ChannelPairSetup setup;
  setup.admits = false;
  ChannelPair pair(std::move(setup));
  pair.run_for(10s);
  pair.server().renegotiate(pair.now());
  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(5s);
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 1u);
  EXPECT_EQ(finished(pair, Side::Server, false), 0u);

  Connected other;
  other.server().renegotiate(other.now());
  other.server().renegotiate(other.now());
  other.drain();
  other.run_for(10s);
  EXPECT_EQ(other.count<AuthRequested>(Side::Server), 2u);
}

TEST(Renegotiation, WithoutAdmissionFails) {
  Connected pair;
  pair.setup().admits = false;
  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(61s);
  EXPECT_EQ(pair.count<AuthRequested>(Side::Server), 2u);
  EXPECT_EQ(pair.count<KeysReady>(Side::Server), 1u);
  EXPECT_EQ(finished(pair, Side::Server, false), 1u);
}

TEST(Renegotiation, HoldsMessagesBackUntilTheNewSessionTakesThem) {
  Connected pair;
  pair.server().renegotiate(pair.now());
  pair.server().send_message("INFO,one", pair.now());
  pair.client().send_message("INFO,two", pair.now());
  pair.drain();
  pair.run_for(2s);
  EXPECT_EQ(pair.last<MessageReceived>(Side::Client)->text, "INFO,one");
  EXPECT_EQ(pair.last<MessageReceived>(Side::Server)->text, "INFO,two");
}

TEST(Renegotiation, AcknowledgesLatePacketsOfTheSessionItReplaced) {
  Connected pair;
  std::vector<std::vector<std::uint8_t>> kept;
  pair.tap([&](Side sender, const std::vector<std::uint8_t>& datagram) {
    if (sender == Side::Client && opcode_of(datagram[0]) == Opcode::ControlV1) {
      kept.push_back(datagram);
    }
    return true;
  });
  pair.client().send_message("INFO,late", pair.now());
  pair.client().renegotiate(pair.now());
  pair.drain();
  pair.run_for(2s);
  ASSERT_TRUE(pair.is_connected(2));
  ASSERT_FALSE(kept.empty());
  const std::size_t wrong_before =
      pair.server().drops()[static_cast<std::size_t>(Drop::WrongKeyId)];

  // Unwrapped, a copy of a packet of key 0 is that of a client that missed our acknowledgement.
  ControlPacket late = *decode_control_packet(kept.front());
  late.key_id = KeyId{0};
  late.message_id = MessageId{1};
  bool acknowledged = false;
  pair.tap([&](Side sender, const std::vector<std::uint8_t>& datagram) {
    const auto packet = decode_control_packet(datagram);
    acknowledged = acknowledged || (sender == Side::Server && packet->key_id == KeyId{0} &&
                                    packet->opcode == Opcode::AckV1);
    return true;
  });
  pair.inject(Side::Client, test::encode(late));
  pair.run_for(1s);
  EXPECT_TRUE(acknowledged);

  pair.run_for(61s);
  pair.inject(Side::Client, test::encode(late));
  pair.run_for(1s);
  EXPECT_EQ(pair.server().drops()[static_cast<std::size_t>(Drop::WrongKeyId)], wrong_before + 1)
      << "after a hand-window it is gone";
}

TEST(Renegotiation, MendsATlsSessionThatBroke) {
  Connected pair;
  // Unwrapped, anybody who sees the session ids can do this.
  ControlPacket garbage;
  pair.tap([&](Side sender, const std::vector<std::uint8_t>& datagram) {
    const auto packet = decode_control_packet(datagram);
    if (sender == Side::Client && packet->has_message()) garbage = *packet;
    return true;
  });
  pair.client().send_message("INFO,look", pair.now());
  pair.drain();
  pair.run_for(1s);
  const std::vector<std::uint8_t> junk(64, 0xee);
  garbage.payload = junk;
  ++garbage.message_id.value;
  pair.inject(Side::Client, test::encode(garbage));
  pair.run_for(2s);

  EXPECT_EQ(pair.count<Closed>(Side::Server), 0u);
  ASSERT_TRUE(pair.is_connected(2));
  pair.server().send_message("INFO,mended", pair.now());
  pair.drain();
  pair.run_for(1s);
  EXPECT_EQ(pair.last<MessageReceived>(Side::Client)->text, "INFO,mended");
}

TEST(Renegotiation, SucceedsOverABadLink) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ChannelPairSetup setup;
    setup.seed = seed;
    setup.loss = 0.1;
    setup.duplication = 0.05;
    setup.jitter = 100ms;
    setup.server.renegotiate = 60s;
    setup.server.renegotiate_min = 50s;
    setup.client.renegotiate = 55s;
    ChannelPair pair(std::move(setup));
    ASSERT_TRUE(pair.run_until([&] { return pair.is_connected(6); }, 600s));
    EXPECT_EQ(pair.count<Closed>(Side::Server) + pair.count<Closed>(Side::Client), 0u);
  }
}

}  // namespace
}  // namespace ringway
