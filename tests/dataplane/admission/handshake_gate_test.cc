#include "dataplane/admission/handshake_gate.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::all_wraps;
using test::from_hex;
using test::load_vector;
using test::SeededRandom;
using test::session_id;
using test::to_hex;
using test::WrapPair;
using test::wrapped;

const SessionId kClient = session_id(0xe649705ca39e5e89);
constexpr Now kNow{.instant = {7000s}, .wall = {1'700'000'000}};

LinkEndpoint endpoint(std::uint16_t port = 40000) {
  return {.remote = {*IpAddress::parse("192.0.2.7"), port, 0},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0};
}

ControlPacket client_reset() {
  return {.opcode = Opcode::HardResetClientV2, .sender = kClient, .message_id = {0}};
}

/// A 2.6 client's third packet: ClientHello and acknowledgement in one.
ControlPacket client_hello(SessionId cookie) {
  static constexpr std::array<std::uint8_t, 3> kHello = {0x16, 0x03, 0x01};
  return {.opcode = Opcode::ControlV1,
          .sender = kClient,
          .ack_count = 1,
          .ack_ids = {MessageId{0}},
          .receiver = cookie,
          .message_id = {1},
          .payload = kHello};
}

/// A gate with one wrap, and the client's half of that wrap.
struct Door {
  explicit Door(const WrapPair& pair, const HandshakeLimits::Settings& settings = {})
      : wraps(pair), limits(settings, 0, 1), gate(pair.server, cookie, &limits) {}

  GateVerdict knock(Bytes datagram, Now now = kNow, LinkEndpoint from = endpoint()) {
    return gate.handle_datagram(datagram, from, now, scratch);
  }
  GateVerdict knock(const ControlPacket& packet, Now now = kNow, LinkEndpoint from = endpoint()) {
    return knock(wrapped(wraps.client, packet), now, from);
  }
  /// Why the gate dropped it; kCount when it did not.
  template <typename Packet>
  Drop refusal(const Packet& packet, Now now = kNow, LinkEndpoint from = endpoint()) {
    const GateVerdict verdict = knock(packet, now, from);
    const Drop* drop = std::get_if<Drop>(&verdict);
    return drop == nullptr ? Drop::kCount : *drop;
  }
  /// What the client reads in the reply; its payload-free copy.
  std::optional<ControlPacket> read(const GateVerdict& verdict) {
    const auto* reply = std::get_if<GateReply>(&verdict);
    if (reply == nullptr) return std::nullopt;
    const auto unwrapped = wraps.client.unwrap(reply->datagram, opened);
    if (!unwrapped) return std::nullopt;
    stamp = unwrapped->stamp;
    const auto packet = decode_control_packet(unwrapped->plain);
    return packet ? std::optional(*packet) : std::nullopt;
  }
  SessionId ask_cookie(Now now = kNow, LinkEndpoint from = endpoint()) {
    const auto reset = read(knock(client_reset(), now, from));
    EXPECT_TRUE(reset);
    return reset ? reset->sender : SessionId{};
  }

  const WrapPair& wraps;
  SeededRandom random{3};
  HandshakeCookie cookie{random, 60s};
  HandshakeLimits limits;
  HandshakeGate gate;
  ReplayStamp stamp;
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> scratch{};
  std::array<std::uint8_t, HandshakeGate::kDatagramSizeMax> opened{};
};

class HandshakeGateTest : public testing::Test {
 protected:
  const std::vector<WrapPair> wraps_ = all_wraps();
  Door plain_{wraps_[0]};
};

TEST_F(HandshakeGateTest, AnswersAResetWithTheCookieAndNothingElse) {  // A01
  for (const WrapPair& pair : wraps_) {
    SCOPED_TRACE(pair.name);
    Door door(pair);

    const auto reset = door.read(door.knock(client_reset()));

    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->opcode, Opcode::HardResetServerV2);
    EXPECT_EQ(reset->key_id.value, 0);
    EXPECT_EQ(reset->sender, door.cookie.make(endpoint(), kClient, kNow.instant));
    ASSERT_EQ(reset->ack_count, 1);
    EXPECT_EQ(reset->ack_ids[0].value, 0u);
    EXPECT_EQ(reset->receiver, kClient);
    EXPECT_EQ(reset->message_id.value, 0u);
    EXPECT_TRUE(reset->payload.empty());
    if (pair.server.is_protected()) {
      EXPECT_EQ(door.stamp, (ReplayStamp{1, 1'700'000'000}));
    }
  }
}

TEST_F(HandshakeGateTest, AnswersInTheLayoutOfACapturedReset) {
  const auto request = load_vector("plain-handshake-0-c2s").bytes("packet");
  auto expected = load_vector("plain-handshake-1-s2c").bytes("packet");

  const GateVerdict verdict = plain_.knock(request);

  const auto* reply = std::get_if<GateReply>(&verdict);
  ASSERT_NE(reply, nullptr);
  const SessionId cookie = plain_.cookie.make(endpoint(), kClient, kNow.instant);
  std::ranges::copy(cookie.bytes, expected.begin() + 1);
  EXPECT_EQ(to_hex(reply->datagram), to_hex(expected));
}

TEST_F(HandshakeGateTest, NeverAnswersWithMoreThanTwelveBytesBeyondTheRequest) {  // A01
  for (const WrapPair& pair : wraps_) {
    Door door(pair);
    const auto request = wrapped(pair.client, client_reset());

    const GateVerdict verdict = door.knock(request);

    ASSERT_TRUE(std::holds_alternative<GateReply>(verdict)) << pair.name;
    EXPECT_EQ(std::get<GateReply>(verdict).datagram.size(), request.size() + 12) << pair.name;
  }
}

TEST_F(HandshakeGateTest, LetsInWhoReturnsTheCookie) {
  for (const WrapPair& pair : wraps_) {
    SCOPED_TRACE(pair.name);
    Door door(pair);
    const SessionId cookie = door.ask_cookie();
    ControlPacket bare_ack{.opcode = Opcode::AckV1, .sender = kClient, .ack_count = 1};
    bare_ack.receiver = cookie;

    for (const ControlPacket& packet : {client_hello(cookie), bare_ack}) {
      const GateVerdict verdict = door.knock(packet, {kNow.instant + 59s, kNow.wall});

      const auto* proven = std::get_if<GateProven>(&verdict);
      ASSERT_NE(proven, nullptr);
      EXPECT_EQ(proven->local, cookie);
      EXPECT_EQ(proven->remote, kClient);
    }
  }
}

TEST_F(HandshakeGateTest, RefusesAForgedOrMovedCookie) {  // A02, A03
  const SessionId cookie = plain_.ask_cookie();
  const auto refused = [&](const ControlPacket& packet, Now now, const LinkEndpoint& from) {
    return plain_.refusal(packet, now, from) == Drop::BadCookie;
  };
  ControlPacket other_client = client_hello(cookie);
  other_client.sender = session_id(99);

  EXPECT_TRUE(refused(client_hello(session_id(1)), kNow, endpoint()));
  EXPECT_TRUE(refused(client_hello(cookie), kNow, endpoint(40001)));
  EXPECT_TRUE(refused(client_hello(cookie), {kNow.instant + 90s, kNow.wall}, endpoint()));
  EXPECT_TRUE(refused(other_client, kNow, endpoint()));
}

TEST_F(HandshakeGateTest, LetsInNoneOfManyGuesses) {  // A02
  SeededRandom guesses(8);
  int let_in = 0;
  for (int i = 0; i < 100'000; ++i) {
    const GateVerdict verdict = plain_.knock(client_hello(session_id(guesses.next())));
    let_in += std::holds_alternative<GateProven>(verdict) ? 1 : 0;
  }
  EXPECT_EQ(let_in, 0);
}

TEST_F(HandshakeGateTest, RepeatsTheResetToAClientWhoseOneAckWasLost) {  // A05
  for (const WrapPair& pair : wraps_) {
    SCOPED_TRACE(pair.name);
    Door door(pair);
    const SessionId cookie = door.ask_cookie();
    const ReplayStamp first = door.stamp;
    ControlPacket hello = client_hello(cookie);
    hello.ack_count = 0;
    const auto request = wrapped(pair.client, hello);

    const GateVerdict verdict = door.knock(request, {kNow.instant + 2s, {kNow.wall.seconds + 2}});
    const auto reset = door.read(verdict);

    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->opcode, Opcode::HardResetServerV2);
    EXPECT_EQ(reset->message_id.value, 0u);
    EXPECT_EQ(reset->receiver, kClient);
    EXPECT_EQ(reset->sender, cookie);
    EXPECT_LE(std::get<GateReply>(verdict).datagram.size(), request.size() + 12);
    // The client's replay check refuses a stamp that it has seen.
    if (pair.server.is_protected()) {
      EXPECT_GT(door.stamp.time, first.time);
    }
  }
}

TEST_F(HandshakeGateTest, RepeatsTheResetForNoOtherPacketWithoutAcks) {  // A05, A25
  ControlPacket later = client_hello({});
  later.ack_count = 0;
  later.message_id = {2};
  ControlPacket earlier = later;
  earlier.message_id = {0};
  const ControlPacket bare{.opcode = Opcode::AckV1, .sender = kClient};

  EXPECT_EQ(plain_.refusal(later), Drop::BadCookie);
  EXPECT_EQ(plain_.refusal(earlier), Drop::BadCookie);
  EXPECT_EQ(plain_.refusal(bare), Drop::BadCookie);
}

TEST_F(HandshakeGateTest, RefusesAResetThatIsNotTheFirstMessage) {  // A06
  ControlPacket reset = client_reset();
  reset.message_id = {1};

  EXPECT_EQ(plain_.refusal(reset), Drop::BadReset);
}

TEST_F(HandshakeGateTest, RefusesIdsThatCannotExistYet) {  // A06
  const SessionId cookie = plain_.ask_cookie();
  ControlPacket late_message = client_hello(cookie);
  late_message.message_id = {2};
  ControlPacket late_ack = client_hello(cookie);
  late_ack.ack_ids[0] = {2};
  ControlPacket second_ack_late = client_hello(cookie);
  second_ack_late.ack_count = 2;
  second_ack_late.ack_ids[1] = {0xffffffff};
  ControlPacket allowed = client_hello(cookie);
  allowed.ack_ids[0] = {1};

  EXPECT_EQ(plain_.refusal(late_message), Drop::BadReset);
  EXPECT_EQ(plain_.refusal(late_ack), Drop::BadReset);
  EXPECT_EQ(plain_.refusal(second_ack_late), Drop::BadReset);
  EXPECT_TRUE(std::holds_alternative<GateProven>(plain_.knock(allowed)));
}

TEST_F(HandshakeGateTest, IsSilentToEveryOtherOpcodeAndKeyId) {  // A16, A25
  for (const WrapPair& pair : wraps_) {
    Door door(pair);
    for (unsigned first = 0; first < 256; ++first) {
      const bool may_begin = first == 0x20 || first == 0x28 || first == 0x38;
      if (may_begin) continue;
      ControlPacket packet = client_hello(session_id(5));
      packet.opcode = opcode_of(static_cast<std::uint8_t>(first));
      packet.key_id = key_id_of(static_cast<std::uint8_t>(first));
      const unsigned opcode = first >> 3;
      const bool known = opcode == 4 || opcode == 5 || opcode == 7 ||
                         ((opcode == 10 || opcode == 11) && packet.key_id.value != 0);

      EXPECT_EQ(door.refusal(packet), known ? Drop::WrongKeyId : Drop::UnknownOpcode)
          << pair.name << ", first byte " << first;
    }
  }
}

TEST_F(HandshakeGateTest, RefusesASenderOfZeros) {
  EXPECT_EQ(plain_.refusal(from_hex("38 0000000000000000 00 00000000")), Drop::ForeignSession);
}

TEST_F(HandshakeGateTest, IsSilentToWhoeverLacksTheKey) {  // A24, A25
  for (const WrapPair& pair : wraps_) {
    if (!pair.server.is_protected()) continue;
    Door door(pair);
    for (const TlsWrap& wrong : {std::cref(wraps_[0].client), std::cref(wraps_[1].client),
                                 std::cref(wraps_[2].client), std::cref(wraps_[3].client)}) {
      if (&wrong == &pair.client) continue;
      EXPECT_EQ(door.refusal(wrapped(wrong, client_reset())), Drop::BadWrap) << pair.name;
    }
  }
}

TEST_F(HandshakeGateTest, SurvivesEveryLengthOfEveryFirstByte) {  // A10, A11, A16
  SeededRandom random(21);
  std::vector<std::uint8_t> noise(65535);
  random.fill(noise);
  for (const WrapPair& pair : wraps_) {
    Door door(pair);
    for (unsigned first = 0; first < 256; ++first) {
      noise[0] = static_cast<std::uint8_t>(first);
      for (const std::size_t size : {0,  1,  8,  9,  10, 13,   14,   25,   26,   41,   42,
                                     48, 49, 50, 53, 54, 1514, 1515, 2047, 2048, 2049, 65535}) {
        EXPECT_FALSE(std::holds_alternative<GateProven>(door.knock(Bytes(noise).first(size))));
      }
    }
    EXPECT_EQ(door.refusal(Bytes{}), Drop::Truncated);
  }
}

TEST_F(HandshakeGateTest, RefusesADatagramThatIsTooLarge) {  // A10
  std::vector<std::uint8_t> large(HandshakeGate::kDatagramSizeMax + 1, 0x11);
  large[0] = 0x38;

  EXPECT_EQ(plain_.refusal(large), Drop::Oversize);
}

TEST_F(HandshakeGateTest, RefusesEveryTruncationOfTheThirdPacket) {
  for (const WrapPair& pair : wraps_) {
    Door door(pair);
    ControlPacket hello = client_hello(door.ask_cookie());
    hello.payload = {};
    const auto whole = wrapped(pair.client, hello);
    ASSERT_TRUE(std::holds_alternative<GateProven>(door.knock(whole)));

    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_TRUE(std::holds_alternative<Drop>(door.knock(Bytes(whole).first(size))))
          << pair.name << " cut to " << size;
    }
  }
}

TEST_F(HandshakeGateTest, AnswersNoMoreOftenThanItsLimit) {  // A01
  Door door(wraps_[0], {.answers = {.count = 3, .period = 10s}});
  for (int i = 0; i < 3; ++i) ASSERT_EQ(door.refusal(client_reset()), Drop::kCount);
  ControlPacket lost_ack = client_hello({});
  lost_ack.ack_count = 0;

  EXPECT_EQ(door.refusal(client_reset()), Drop::RateLimited);
  EXPECT_EQ(door.refusal(lost_ack), Drop::RateLimited);
  EXPECT_EQ(door.refusal(client_reset(), {kNow.instant + 10s - 1ns, kNow.wall}), Drop::RateLimited);
  EXPECT_TRUE(std::holds_alternative<GateReply>(
      door.knock(client_reset(), {kNow.instant + 10s, kNow.wall})));
}

TEST_F(HandshakeGateTest, LetsInTheBearerOfACookieWhateverTheLimit) {  // A04
  Door door(wraps_[0], {.answers = {.count = 1, .period = 10s}});
  const SessionId cookie = door.ask_cookie();
  ASSERT_EQ(door.refusal(client_reset()), Drop::RateLimited);

  EXPECT_TRUE(std::holds_alternative<GateProven>(door.knock(client_hello(cookie))));
}

TEST_F(HandshakeGateTest, LetsInNoMoreOftenThanTheLimitOfHandshakes) {
  Door door(wraps_[0], {.handshakes = {.count = 2, .period = 10s}});
  const SessionId cookie = door.ask_cookie();
  const Now later{kNow.instant + 10s, kNow.wall};
  for (int i = 0; i < 2; ++i) ASSERT_EQ(door.refusal(client_hello(cookie)), Drop::kCount);

  EXPECT_EQ(door.refusal(client_hello(session_id(7))), Drop::BadCookie);
  EXPECT_EQ(door.refusal(client_hello(cookie)), Drop::RateLimited);
  EXPECT_EQ(door.refusal(client_reset()), Drop::kCount) << "answers have a limit of their own";
  EXPECT_TRUE(std::holds_alternative<GateProven>(door.knock(client_hello(cookie), later)));
}

TEST_F(HandshakeGateTest, AnswersOverTcpWhenTheAnswersToDatagramsAreUsedUp) {
  Door door(wraps_[0], {.answers = {.count = 1, .period = 10s}});
  LinkEndpoint connection = endpoint();
  connection.connection = {.number = 0, .generation = 1};
  ASSERT_EQ(door.refusal(client_reset()), Drop::kCount);
  ASSERT_EQ(door.refusal(client_reset()), Drop::RateLimited);

  EXPECT_EQ(door.refusal(client_reset(), kNow, connection), Drop::kCount);
}

TEST_F(HandshakeGateTest, AnswersANewSessionFromAnEndpointThatAlreadyHasOne) {  // A14
  const SessionId first = plain_.ask_cookie();
  ASSERT_TRUE(std::holds_alternative<GateProven>(plain_.knock(client_hello(first))));
  ControlPacket restarted = client_reset();
  restarted.sender = session_id(0xabcdef);

  const auto reset = plain_.read(plain_.knock(restarted));

  ASSERT_TRUE(reset);
  EXPECT_NE(reset->sender, first);
  EXPECT_EQ(reset->receiver, restarted.sender);
}

}  // namespace
}  // namespace ringway
