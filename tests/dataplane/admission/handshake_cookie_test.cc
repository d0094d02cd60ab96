#include "dataplane/admission/handshake_cookie.h"

#include <gtest/gtest.h>

#include "tests/dataplane/admission/admission_fixture.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::SeededRandom;
using test::session_id;

constexpr Duration kHandWindow = 60s;
constexpr Duration kSlot = kHandWindow / 2;
const SessionId kClient = session_id(0x1122334455667788);

LinkEndpoint endpoint() {
  return {.remote = {*IpAddress::parse("192.0.2.7"), 40000, 0},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0};
}

/// A moment in the middle of a slot, an hour after the start.
constexpr Instant kNow{3600s + kSlot / 2};

class HandshakeCookieTest : public testing::Test {
 protected:
  SeededRandom random_{1};
  HandshakeCookie cookie_{random_, kHandWindow};
  SessionId made_ = cookie_.make(endpoint(), kClient, kNow);
};

TEST_F(HandshakeCookieTest, AcceptsWhatItMade) {
  EXPECT_TRUE(cookie_.verify(made_, endpoint(), kClient, kNow));
  EXPECT_FALSE(made_.is_zero());
}

TEST_F(HandshakeCookieTest, IsTheSameWithinASlot) {
  EXPECT_EQ(cookie_.make(endpoint(), kClient, kNow + kSlot / 4), made_);
  EXPECT_NE(cookie_.make(endpoint(), kClient, kNow + kSlot), made_);
}

TEST_F(HandshakeCookieTest, LivesForThePresentAndTheTwoSlotsBefore) {  // A03
  EXPECT_TRUE(cookie_.verify(made_, endpoint(), kClient, kNow + kSlot));
  EXPECT_TRUE(cookie_.verify(made_, endpoint(), kClient, kNow + 2 * kSlot));
  EXPECT_TRUE(cookie_.verify(made_, endpoint(), kClient, kNow + 2 * kSlot + kSlot / 2 - 1ns));
  EXPECT_FALSE(cookie_.verify(made_, endpoint(), kClient, kNow + 2 * kSlot + kSlot / 2));
  EXPECT_FALSE(cookie_.verify(made_, endpoint(), kClient, kNow + 3 * kSlot));
}

TEST_F(HandshakeCookieTest, IsRefusedBeforeItsTime) {  // A03: no slot of the future
  EXPECT_FALSE(cookie_.verify(made_, endpoint(), kClient, kNow - kSlot));
}

TEST_F(HandshakeCookieTest, IsBoundToEveryPartOfTheLink) {  // A02, A03
  const auto refused = [&](auto change) {
    LinkEndpoint moved = endpoint();
    change(moved);
    return !cookie_.verify(made_, moved, kClient, kNow);
  };

  EXPECT_TRUE(refused([](auto& link) { link.remote.address = *IpAddress::parse("192.0.2.8"); }));
  EXPECT_TRUE(refused([](auto& link) { link.remote.address = *IpAddress::parse("2001:db8::7"); }));
  EXPECT_TRUE(refused([](auto& link) { link.remote.port = 40001; }));
  EXPECT_TRUE(refused([](auto& link) { link.remote.scope_id = 2; }));
  EXPECT_TRUE(refused([](auto& link) { link.local = *IpAddress::parse("198.51.100.2"); }));
  EXPECT_TRUE(refused([](auto& link) { link.listener = 1; }));
}

TEST_F(HandshakeCookieTest, IsBoundToTheClientsSession) {  // A02
  EXPECT_FALSE(cookie_.verify(made_, endpoint(), session_id(0x1122334455667789), kNow));
}

TEST_F(HandshakeCookieTest, IsRefusedWithAnyBitFlipped) {  // A02
  for (std::size_t bit = 0; bit < 64; ++bit) {
    SessionId flipped = made_;
    flipped.bytes[bit / 8] = static_cast<std::uint8_t>(flipped.bytes[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(cookie_.verify(flipped, endpoint(), kClient, kNow)) << "bit " << bit;
  }
}

TEST_F(HandshakeCookieTest, IsNeverGuessed) {  // A02
  SeededRandom guesses(77);
  int accepted = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    accepted += cookie_.verify(session_id(guesses.next()), endpoint(), kClient, kNow) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 0);
}

TEST_F(HandshakeCookieTest, DiesWithTheProcessThatDrewItsKey) {  // A03
  SeededRandom other_random(2);
  const HandshakeCookie restarted(other_random, kHandWindow);

  EXPECT_FALSE(restarted.verify(made_, endpoint(), kClient, kNow));
}

TEST_F(HandshakeCookieTest, WorksFromTheFirstMomentOfTheClock) {
  const SessionId first = cookie_.make(endpoint(), kClient, Instant{});

  EXPECT_TRUE(cookie_.verify(first, endpoint(), kClient, Instant{}));
  EXPECT_TRUE(cookie_.verify(first, endpoint(), kClient, Instant{} + kHandWindow));
  EXPECT_FALSE(cookie_.verify(first, endpoint(), kClient, Instant{} + 3 * kSlot));
}

class CookieKeys : public HandshakeCookieTest {
 protected:
  /// Of the slot after the next.
  CookieKey next_ = CookieKey::draw(random_, cookie_.slot_at(kNow) + 2);
};

TEST_F(CookieKeys, GoOnCheckingWhatWasMadeUnderTheOlderOne) {
  cookie_.add_key(next_);

  EXPECT_EQ(cookie_.make(endpoint(), kClient, kNow), made_) << "the new one is not used yet";
  EXPECT_TRUE(cookie_.verify(made_, endpoint(), kClient, kNow + 2 * kSlot));
}

TEST_F(CookieKeys, ChangeForAllAtTheSameSlot) {
  SeededRandom same(1);
  HandshakeCookie late(same, kHandWindow);
  const Instant first = kNow + 2 * kSlot;
  cookie_.add_key(next_);
  const SessionId made = cookie_.make(endpoint(), kClient, first);
  ASSERT_NE(made, late.make(endpoint(), kClient, first));
  EXPECT_FALSE(late.verify(made, endpoint(), kClient, first));

  late.add_key(next_);

  EXPECT_TRUE(late.verify(made, endpoint(), kClient, first));
  EXPECT_TRUE(cookie_.verify(made, endpoint(), kClient, first + 2 * kSlot));
}

TEST_F(CookieKeys, AreForgottenAfterTheNextButOne) {  // A03
  cookie_.add_key(next_);
  cookie_.add_key(CookieKey::draw(random_, next_.from_slot + 9));

  EXPECT_FALSE(cookie_.verify(made_, endpoint(), kClient, kNow));
}

TEST_F(CookieKeys, AreNeededToBegin) {
  HandshakeCookie cookie(kHandWindow);
  EXPECT_FALSE(cookie.has_key());
  cookie.add_key(next_);
  EXPECT_TRUE(cookie.has_key());
}

}  // namespace
}  // namespace ringway
