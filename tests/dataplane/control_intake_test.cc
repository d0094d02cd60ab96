#include "dataplane/control_intake.h"

#include <gtest/gtest.h>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::session_id;
using test::wrapped;
using Way = Verdict::Way;

constexpr Now kNow{.instant = {7000s}, .wall = {1'700'000'000}};
constexpr std::uint64_t kClient = 0xe649705ca39e5e89;

LinkEndpoint at(std::uint16_t port, ConnectionId connection = {}) {
  return {.remote = {*IpAddress::parse("192.0.2.7"), port, 0},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0,
          .connection = connection};
}

ControlPacket reset(std::uint64_t session = kClient) {
  return {.opcode = Opcode::HardResetClientV2, .sender = session_id(session), .message_id = {0}};
}

ControlPacket hello(SessionId cookie, std::uint32_t message_id = 1) {
  return {.opcode = Opcode::ControlV1,
          .sender = session_id(kClient),
          .ack_count = 1,
          .ack_ids = {MessageId{0}},
          .receiver = cookie,
          .message_id = {message_id},
          .payload = {}};
}

class ControlIntakeTest : public testing::Test {
 protected:
  ControlIntakeTest() { make({}); }

  void make(const HandshakeLimits::Settings& limits) {
    DatapathSettings settings;
    settings.admission = {.wrap = &pair_.server, .limits = limits};
    intake_ = std::make_unique<ControlIntake>(settings);
    intake_->handle(InstallCookieKey{.key = CookieKey::draw(random_, 0)});
  }
  Verdict knock(const ControlPacket& packet, const LinkEndpoint& from = at(1), Now now = kNow) {
    return intake_->handle_datagram(wrapped(pair_.client, packet), from, now);
  }
  SessionId ask_cookie(const LinkEndpoint& from = at(1)) {
    const Verdict verdict = knock(reset(), from);
    EXPECT_EQ(verdict.way, Way::Link);
    std::array<std::uint8_t, 512> plain;
    const auto unwrapped = pair_.client.unwrap(verdict.packet, plain);
    return decode_control_packet(unwrapped.value().plain).value().sender;
  }

  test::SeededRandom random_{4};
  test::WrapPair pair_ = std::move(test::all_wraps()[3]);
  std::unique_ptr<ControlIntake> intake_;
};

TEST_F(ControlIntakeTest, AnswersAStrangerItself) {  // A01
  const auto request = wrapped(pair_.client, reset());
  const Verdict verdict = intake_->handle_datagram(request, at(1), kNow);

  ASSERT_EQ(verdict.way, Way::Link);
  EXPECT_EQ(verdict.endpoint, at(1));
  EXPECT_EQ(verdict.packet.size(), request.size() + 12);
}

TEST_F(ControlIntakeTest, AnswersEachWhereItAsked) {  // B03
  for (std::uint64_t i = 1; i < 20; ++i) {
    LinkEndpoint from = at(static_cast<std::uint16_t>(i));
    from.listener = static_cast<std::uint8_t>(i % 3);
    if (i % 2 == 0) from.local = *IpAddress::parse("198.51.100.2");
    const Verdict verdict = knock(reset(i), from);

    ASSERT_EQ(verdict.way, Way::Link);
    EXPECT_EQ(verdict.endpoint, from);
    std::array<std::uint8_t, 512> plain;
    const auto unwrapped = pair_.client.unwrap(verdict.packet, plain);
    EXPECT_EQ(decode_control_packet(unwrapped.value().plain).value().receiver, session_id(i));
  }
}

TEST_F(ControlIntakeTest, LetsThroughWhoReturnsTheCookieAndNobodyElse) {  // A02
  const SessionId cookie = ask_cookie();

  EXPECT_EQ(knock(hello(session_id(1))).drop, Drop::BadCookie);
  EXPECT_EQ(knock(hello(cookie), at(2)).drop, Drop::BadCookie);
  EXPECT_EQ(knock(hello(cookie)).way, Way::Newcomer);
}

TEST_F(ControlIntakeTest, LetsTheRestOfTheClientHelloThroughBehindIt) {
  const SessionId cookie = ask_cookie();
  ASSERT_EQ(knock(hello(cookie, 2)).drop, Drop::BadReset);  // A06
  ASSERT_EQ(knock(hello(cookie)).way, Way::Newcomer);

  EXPECT_EQ(knock(hello(cookie, 2)).way, Way::Newcomer);
  EXPECT_EQ(knock(hello(cookie, 3), at(2)).way, Way::Dropped);
}

TEST_F(ControlIntakeTest, GivesPrecedenceToWhoIsConnected) {
  const auto junk = [&] {
    return intake_->handle_datagram(wrapped(pair_.server, reset()), at(1), kNow);
  };
  EXPECT_EQ(junk().drop, Drop::BadWrap);

  intake_->handle(KnowChannel{.endpoint = at(1), .session = session_id(kClient)});
  EXPECT_EQ(junk().way, Way::Newcomer);
  intake_->handle(
      KnowChannel{.endpoint = at(1), .session = session_id(kClient), .is_established = true});
  EXPECT_EQ(junk().way, Way::Control);
  intake_->handle(ForgetChannel{.endpoint = at(1), .session = session_id(kClient)});
  EXPECT_EQ(junk().drop, Drop::BadWrap);
}

TEST_F(ControlIntakeTest, AnswersNobodyWhenTheGateIsClosed) {
  const SessionId cookie = ask_cookie();
  intake_->handle(CloseGate{});

  // A cookie of this server would be worth nothing at the next.
  EXPECT_EQ(knock(reset(2), at(2)).way, Way::Dropped);
  EXPECT_EQ(knock(hello(cookie)).way, Way::Dropped);
}

TEST_F(ControlIntakeTest, LetsInTheBearerOfACookieHoweverManyResetsStrangersSend) {  // A04
  make({.answers = {.count = 10, .period = 60s}, .from_one_source = {.count = 0}});
  const SessionId cookie = ask_cookie();
  for (std::uint16_t i = 0; i < 100; ++i)
    knock(reset(i + 1u), at(static_cast<std::uint16_t>(i + 2)));
  ASSERT_EQ(knock(reset(77), at(700)).drop, Drop::RateLimited);

  EXPECT_EQ(knock(hello(cookie)).way, Way::Newcomer);
}

TEST_F(ControlIntakeTest, CountsARepeatedProofOnce) {
  make({.handshakes = {.count = 1, .period = 60s}});
  const SessionId cookie = ask_cookie();
  EXPECT_EQ(knock(hello(cookie)).way, Way::Newcomer);
  EXPECT_EQ(knock(hello(cookie)).way, Way::Newcomer);

  const SessionId other = ask_cookie(at(2));
  EXPECT_EQ(knock(hello(other), at(2)).drop, Drop::RateLimited);
}

TEST_F(ControlIntakeTest, AnswersResetsFromAConnectedClientsEndpointOnceASecond) {  // A15
  intake_->handle(KnowChannel{.endpoint = at(1), .session = session_id(5), .is_established = true});
  EXPECT_EQ(knock(reset(6)).way, Way::Link);
  EXPECT_EQ(knock(reset(7)).drop, Drop::RateLimited);
  EXPECT_EQ(knock(reset(8), at(2)).way, Way::Link);
  EXPECT_EQ(knock(reset(7), at(1), {kNow.instant + 1s, kNow.wall}).way, Way::Link);
}

// A ClientHello whose acknowledgement was lost is answered like a reset, and as often.
TEST_F(ControlIntakeTest, AnswersNoMoreHellosThanResetsThere) {  // A15
  intake_->handle(KnowChannel{.endpoint = at(1), .session = session_id(5), .is_established = true});
  ControlPacket lost{.opcode = Opcode::ControlV1, .sender = session_id(6), .message_id = {1}};
  EXPECT_EQ(knock(lost).way, Way::Link);
  EXPECT_EQ(knock(lost).drop, Drop::RateLimited);
  EXPECT_EQ(knock(reset(7)).drop, Drop::RateLimited);
  EXPECT_EQ(knock(lost, at(1), {kNow.instant + 1s, kNow.wall}).way, Way::Link);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(knock(lost, at(2)).way, Way::Link);
}

TEST_F(ControlIntakeTest, AnswersANewSessionWhereAnotherStalls) {  // A14
  intake_->handle(KnowChannel{.endpoint = at(1), .session = session_id(5)});
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(knock(reset(6 + i)).way, Way::Link);
}

TEST_F(ControlIntakeTest, RefusesASecondSessionOnOneConnection) {
  const LinkEndpoint connection = at(1, {.number = 0, .generation = 1});
  EXPECT_EQ(knock(reset(), connection).way, Way::Link);
  intake_->handle(KnowChannel{.endpoint = connection, .session = session_id(kClient)});
  EXPECT_EQ(knock(reset(9), connection).drop, Drop::ForeignSession);
}

TEST_F(ControlIntakeTest, AnswersNobodyBeforeItHasAKey) {
  DatapathSettings settings;
  settings.admission = {.wrap = &pair_.server};
  intake_ = std::make_unique<ControlIntake>(settings);
  EXPECT_EQ(knock(reset()).drop, Drop::NoKey);
}

TEST_F(ControlIntakeTest, IsSilentToGarbageOfEveryOpcodeAndLength) {  // A16, A25
  test::SeededRandom noise(9);
  std::vector<std::uint8_t> datagram(2100);
  noise.fill(datagram);
  for (unsigned first = 0; first < 256; ++first) {
    datagram[0] = static_cast<std::uint8_t>(first);
    for (const std::size_t size : {1u, 8u, 9u, 10u, 14u, 54u, 300u, 1500u, 2048u, 2049u, 2100u}) {
      const Verdict verdict = intake_->handle_datagram(Bytes(datagram).first(size), at(1), kNow);
      EXPECT_EQ(verdict.way, Way::Dropped) << first << " of " << size;
    }
  }
}

/// Clients with keys of their own that cannot show them twice.
class UnprovenIntakeTest : public ControlIntakeTest {
 protected:
  UnprovenIntakeTest() {
    pair_ = test::v2_wrap();
    make({.from_one_source = {.count = 0}});
  }
  Verdict knock_once(std::uint64_t session, Now now = kNow) {
    auto datagram = wrapped(
        pair_.client,
        {.opcode = Opcode::HardResetClientV3, .sender = session_id(session), .message_id = {0}});
    const Bytes key = pair_.client.wrapped_key();
    datagram.insert(datagram.end(), key.begin(), key.end());
    return intake_->handle_datagram(datagram, at(1), now);
  }
};

TEST_F(UnprovenIntakeTest, LetsSoManyThroughASecond) {  // A07
  std::uint32_t let_through = 0;
  for (std::uint64_t i = 1; i <= 1500; ++i)
    let_through += knock_once(i).way == Way::Newcomer ? 1 : 0;
  EXPECT_EQ(let_through, ControlIntake::kUnproven.count);
  EXPECT_EQ(knock_once(1501).drop, Drop::RateLimited);
  EXPECT_EQ(knock_once(1502, {kNow.instant + 1s, kNow.wall}).way, Way::Newcomer);
}

// One recorded reset can be sent for ever from any address: it takes nothing from those who have
// proven theirs.
TEST_F(UnprovenIntakeTest, TakesNothingFromWhoReturnsACookie) {  // A04
  make({.handshakes = {.count = 1, .period = 60s}, .from_one_source = {.count = 1}});
  for (std::uint64_t i = 1; i <= 50; ++i) EXPECT_EQ(knock_once(i).way, Way::Newcomer);

  const SessionId client = session_id(99);
  const auto with_key = [&](const ControlPacket& packet, std::uint32_t stamp) {
    auto datagram = wrapped(pair_.client, packet, {stamp, 1000});
    const Bytes key = pair_.client.wrapped_key();
    datagram.insert(datagram.end(), key.begin(), key.end());
    return intake_->handle_datagram(datagram, at(1), kNow);
  };
  const Verdict answer = with_key(
      {.opcode = Opcode::HardResetClientV3, .sender = client, .message_id = {0}}, 0x0f000001);
  ASSERT_EQ(answer.way, Way::Link);
  std::array<std::uint8_t, 512> plain;
  const auto unwrapped = pair_.client.unwrap(answer.packet, plain);
  const SessionId cookie = decode_control_packet(unwrapped.value().plain).value().sender;
  EXPECT_EQ(with_key({.opcode = Opcode::ControlWkcV1,
                      .sender = client,
                      .ack_count = 1,
                      .ack_ids = {MessageId{0}},
                      .receiver = cookie,
                      .message_id = {1}},
                     0x0f000002)
                .way,
            Way::Newcomer);
}

}  // namespace
}  // namespace ringway
