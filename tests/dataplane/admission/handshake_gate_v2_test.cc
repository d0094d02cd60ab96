#include <gtest/gtest.h>

#include <array>
#include <variant>
#include <vector>

#include "dataplane/admission/early_negotiation.h"
#include "dataplane/admission/handshake_gate.h"
#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

/// The first stage towards clients that bring their own key (tls-crypt-v2).
namespace ringway {
namespace {

using test::captured_v2_client_key;
using test::load_vector;
using test::session_id;
using test::to_hex;

const SessionId kClient = session_id(0xe649705ca39e5e89);
/// The captured client key was made two months before.
constexpr Now kNow{.instant = {7000s}, .wall = {0x6b048421 + 60 * 86'400}};

LinkEndpoint endpoint(std::uint16_t port = 40000) {
  return {.remote = {*IpAddress::parse("192.0.2.7"), port, 0},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0};
}

class HandshakeGateV2 : public testing::Test {
 protected:
  void offer(bool force_cookie, Duration age_max = Duration{0}) {
    pair_ = test::v2_wrap(force_cookie, age_max);
    gate_.emplace(pair_.server, cookie_, nullptr);
  }

  std::vector<std::uint8_t> with_key(const ControlPacket& packet,
                                     std::uint32_t replay_id = kEarlyNegotiationStart) {
    auto datagram = test::wrapped(pair_.client, packet, {replay_id, 1000});
    const Bytes key = pair_.client.wrapped_key();
    datagram.insert(datagram.end(), key.begin(), key.end());
    return datagram;
  }
  static ControlPacket reset() {
    return {.opcode = Opcode::HardResetClientV3, .sender = kClient, .message_id = {0}};
  }
  static ControlPacket third(SessionId cookie) {
    return {.opcode = Opcode::ControlWkcV1,
            .sender = kClient,
            .ack_count = 1,
            .ack_ids = {MessageId{0}},
            .receiver = cookie,
            .message_id = {1},
            .payload = {}};
  }
  GateVerdict knock(Bytes datagram, LinkEndpoint from = endpoint(), Now now = kNow) {
    return gate_->handle_datagram(datagram, from, now, scratch_);
  }
  static Drop refusal(const GateVerdict& verdict) {
    const Drop* drop = std::get_if<Drop>(&verdict);
    return drop == nullptr ? Drop::kCount : *drop;
  }
  SessionId ask_cookie() {
    const GateVerdict verdict = knock(with_key(reset()));
    const auto* reply = std::get_if<GateReply>(&verdict);
    if (reply == nullptr) return {};
    std::array<std::uint8_t, 2048> opened{};
    const auto unwrapped = pair_.client.unwrap(reply->datagram, opened);
    if (!unwrapped) return {};
    const auto packet = decode_control_packet(unwrapped->plain);
    if (!packet || asks_for_wrapped_key(packet->payload) != true) return {};
    return packet->sender;
  }

  test::SeededRandom random_{3};
  HandshakeCookie cookie_{random_, 60s};
  test::WrapPair pair_ = test::v2_wrap();
  std::optional<HandshakeGate> gate_{std::in_place, pair_.server, cookie_, nullptr};
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch_{};
};

TEST_F(HandshakeGateV2, AnswersTheCapturedResetOfAClient) {  // A07
  const auto packet = load_vector("tls-crypt-v2-hs-0").bytes("packet");
  const GateVerdict verdict = knock(packet);
  const auto* reply = std::get_if<GateReply>(&verdict);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->datagram.size(), load_vector("tls-crypt-v2-hs-1").bytes("packet").size());
  EXPECT_LT(reply->datagram.size(), packet.size());
}

TEST_F(HandshakeGateV2, LetsInWhoReturnsTheCookieAndTheKey) {  // A07
  const SessionId cookie = ask_cookie();
  ASSERT_FALSE(cookie.is_zero());

  const GateVerdict verdict = knock(with_key(third(cookie)));

  const auto* proven = std::get_if<GateProven>(&verdict);
  ASSERT_NE(proven, nullptr);
  EXPECT_EQ(proven->local, cookie);
  EXPECT_EQ(proven->remote, kClient);
  ASSERT_TRUE(proven->client_key);
  EXPECT_EQ(to_hex(proven->client_key->bytes()), to_hex(captured_v2_client_key().key.bytes()));
}

TEST_F(HandshakeGateV2, RefusesTheCookieOfAnotherEndpoint) {  // A02, A03
  const SessionId cookie = ask_cookie();
  EXPECT_EQ(refusal(knock(with_key(third(cookie)), endpoint(40001))), Drop::BadCookie);
  EXPECT_EQ(refusal(knock(with_key(third(session_id(1))))), Drop::BadCookie);
}

TEST_F(HandshakeGateV2, RefusesIdsThatCannotExistYet) {  // A06
  ControlPacket later = third(ask_cookie());
  later.message_id = {2};
  EXPECT_EQ(refusal(knock(with_key(later))), Drop::BadReset);
  ControlPacket moved = reset();
  moved.message_id = {1};
  EXPECT_EQ(refusal(knock(with_key(moved))), Drop::BadReset);
}

TEST_F(HandshakeGateV2, RemembersAClientThatCannotShowItsKeyTwice) {  // A07
  const GateVerdict verdict = knock(with_key(reset(), 1));
  const auto* unproven = std::get_if<GateUnproven>(&verdict);
  ASSERT_NE(unproven, nullptr);
  EXPECT_EQ(unproven->remote, kClient);
}

TEST_F(HandshakeGateV2, DoesNotAnswerSuchAClientWhereTheCookieIsForced) {  // A07
  offer(true);
  EXPECT_EQ(refusal(knock(with_key(reset(), 1))), Drop::BadReset);
  EXPECT_FALSE(ask_cookie().is_zero());
}

TEST_F(HandshakeGateV2, RefusesKeysBeyondTheirAgeButOnlyAfterTheCookie) {  // A09
  offer(false, 24h * 30);
  const SessionId cookie = ask_cookie();
  ASSERT_FALSE(cookie.is_zero());
  EXPECT_EQ(refusal(knock(with_key(third(cookie)))), Drop::StaleClientKey);
  EXPECT_EQ(refusal(knock(with_key(third(session_id(1))))), Drop::BadCookie);
  EXPECT_EQ(refusal(knock(with_key(reset(), 1))), Drop::StaleClientKey);
  offer(false, 24h * 90);
  EXPECT_TRUE(std::holds_alternative<GateProven>(knock(with_key(third(ask_cookie())))));
}

TEST_F(HandshakeGateV2, JudgesTheAgeOfAKeyWithoutOverflow) {  // A09
  const TlsCryptV2Server server{.key = test::captured_v2_server_key(), .age_max = 24h};
  struct Case {
    std::int64_t made_at;
    bool is_stale;
  };
  const Case cases[] = {{INT64_MIN, true},           {0, true},          {1'000'000 - 86'401, true},
                        {1'000'000 - 86'400, false}, {1'000'000, false}, {INT64_MAX, false}};
  for (const Case& one : cases) {
    EXPECT_EQ(server.is_stale(KeyMetadata::timestamp({one.made_at}), {1'000'000}), one.is_stale)
        << one.made_at;
  }
  EXPECT_TRUE(server.is_stale(KeyMetadata::user({}), {1'000'000}));
  EXPECT_FALSE(TlsCryptV2Server{.key = test::captured_v2_server_key()}.is_stale(
      KeyMetadata::user({}), {1'000'000}));
}

TEST_F(HandshakeGateV2, IsSilentToWhoeverHasNoKeyOfOurs) {  // A24, A25
  const auto datagram = with_key(reset());
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    const GateVerdict verdict = knock(Bytes(datagram).first(size));
    EXPECT_TRUE(std::holds_alternative<Drop>(verdict)) << size;
  }
  for (std::size_t byte = 0; byte < datagram.size(); ++byte) {
    auto altered = datagram;
    altered[byte] ^= 0x80;
    EXPECT_TRUE(std::holds_alternative<Drop>(knock(altered))) << byte;
  }
}

TEST_F(HandshakeGateV2, RefusesPacketsWithoutAnyProtection) {
  const ControlPacket plain{.opcode = Opcode::HardResetClientV2, .sender = kClient};
  EXPECT_EQ(refusal(knock(test::encode(plain))), Drop::BadWrap);
}

TEST_F(HandshakeGateV2, ServesASharedKeyBesideIt) {
  TlsWrap server(TlsCrypt(test::captured_key(), Side::Server));
  server.offer_v2({.key = test::captured_v2_server_key()});
  const TlsWrap client(TlsCrypt(test::captured_key(), Side::Client));
  gate_.emplace(server, cookie_, nullptr);
  const ControlPacket shared{.opcode = Opcode::HardResetClientV2, .sender = kClient};

  EXPECT_TRUE(std::holds_alternative<GateReply>(knock(test::wrapped(client, shared))));
  EXPECT_FALSE(ask_cookie().is_zero());
}

TEST_F(HandshakeGateV2, KnowsNoSuchClientsWhereItIsNotOffered) {
  const TlsWrap none;
  gate_.emplace(none, cookie_, nullptr);
  EXPECT_EQ(refusal(knock(with_key(reset()))), Drop::UnknownOpcode);
}

}  // namespace
}  // namespace ringway
