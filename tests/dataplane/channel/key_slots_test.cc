#include "dataplane/channel/key_slots.h"

#include <gtest/gtest.h>

#include "tests/dataplane/channel/test_keys.h"

namespace ringway {
namespace {

using test::kStart;

// A renegotiation begun at `begin`: the new key sends a minute later, the old one dies in an hour.
DataKeys negotiated(KeyId key_id, Instant begin) {
  DataKeys keys = test::make_keys(key_id, key_id.value);
  keys.send_from = begin + 60s;
  keys.previous_expires_at = begin + 1h;
  return keys;
}

std::optional<KeyId> sealing_id(KeySlots& slots, Instant now) {
  const KeyState* const key = slots.sealing(now);
  if (key == nullptr) return std::nullopt;
  return key->key_id();
}

// Security goal A17.
TEST(KeySlots, FindsNothingBeforeAKeyIsInstalled) {
  KeySlots slots;
  for (std::uint8_t id = 0; id < 8; ++id) EXPECT_EQ(slots.find({id}, kStart), nullptr);
  EXPECT_EQ(slots.sealing(kStart), nullptr);
  EXPECT_EQ(slots.expires_at(), std::nullopt);
}

TEST(KeySlots, FindsTheInstalledKeyIdAndNoOther) {
  KeySlots slots;
  slots.install(negotiated({3}, kStart));
  for (std::uint8_t id = 0; id < 8; ++id) {
    EXPECT_EQ(slots.find({id}, kStart) != nullptr, id == 3) << int{id};
  }
}

TEST(KeySlots, SealsUnderTheOnlyKeyAtOnce) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  EXPECT_EQ(sealing_id(slots, kStart), KeyId{0});
}

TEST(KeySlots, OpensUnderBothKeys) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));

  EXPECT_NE(slots.find({0}, kStart + 101s), nullptr);
  EXPECT_NE(slots.find({1}, kStart + 101s), nullptr);
}

TEST(KeySlots, SealsUnderTheOlderKeyUntilTheNewerMaySend) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.confirm({1});

  EXPECT_EQ(sealing_id(slots, kStart + 159s), KeyId{0});
  EXPECT_EQ(sealing_id(slots, kStart + 160s), KeyId{1});
}

TEST(KeySlots, NeverSealsUnderAKeyThatThePeerMayNotHave) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));

  slots.confirm({0});
  slots.confirm({5});

  EXPECT_EQ(sealing_id(slots, kStart + 3000s), KeyId{0});
}

TEST(KeySlots, KeepsTheKeyInUseWhenNegotiationsFailOneAfterTheOther) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  for (std::uint8_t id = 1; id < 8; ++id) slots.install(negotiated({id}, kStart + 100s * id));

  EXPECT_EQ(sealing_id(slots, kStart + 800s), KeyId{0});
  EXPECT_NE(slots.find({0}, kStart + 800s), nullptr);
  EXPECT_NE(slots.find({7}, kStart + 800s), nullptr);
  EXPECT_EQ(slots.find({6}, kStart + 800s), nullptr);
}

TEST(KeySlots, MovesOnAfterANegotiationThatFailed) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.install(negotiated({2}, kStart + 200s));
  slots.confirm({2});

  EXPECT_EQ(sealing_id(slots, kStart + 259s), KeyId{0});
  EXPECT_EQ(sealing_id(slots, kStart + 260s), KeyId{2});
}

TEST(KeySlots, SealsUnderTheNewerKeyOnceThePeerHasUsedIt) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));

  slots.promote({1});

  EXPECT_EQ(sealing_id(slots, kStart + 101s), KeyId{1});
}

TEST(KeySlots, IsNotPromotedByAPacketUnderTheOlderKey) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));

  slots.promote({0});
  slots.promote({5});

  EXPECT_EQ(sealing_id(slots, kStart + 101s), KeyId{0});
}

TEST(KeySlots, TakesAPacketForTheConfirmationThatFailedToCome) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.promote({1});
  slots.install(negotiated({2}, kStart + 200s));

  EXPECT_EQ(sealing_id(slots, kStart + 1000s), KeyId{1});
  EXPECT_EQ(slots.find({0}, kStart + 260s), nullptr);
}

TEST(KeySlots, NeverHoldsTwoKeysOfOneId) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.install(negotiated({0}, kStart + 200s));

  EXPECT_EQ(slots.count(), 1u);
  EXPECT_EQ(sealing_id(slots, kStart + 201s), KeyId{0});
}

TEST(KeySlots, ForgetsAPromotionWhenTheNextKeyComes) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.promote({0});
  slots.install(negotiated({1}, kStart + 100s));

  EXPECT_EQ(sealing_id(slots, kStart + 101s), KeyId{0});
}

TEST(KeySlots, KeepsTheOldKeyUntilItExpires) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  const Instant end = kStart + 100s + 1h;
  EXPECT_EQ(slots.expires_at(), end);

  EXPECT_NE(slots.find({0}, end - 1ns), nullptr);
  EXPECT_EQ(slots.find({0}, end), nullptr);
  slots.expire(end - 1ns);
  EXPECT_EQ(slots.count(), 2u);
  slots.expire(end);
  EXPECT_EQ(slots.count(), 1u);
  EXPECT_EQ(slots.expires_at(), std::nullopt);
  EXPECT_NE(slots.find({1}, end), nullptr);
}

TEST(KeySlots, SealsUnderTheNewerKeyWhenTheOlderHasExpiredEarly) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  DataKeys newer = negotiated({1}, kStart + 100s);
  newer.previous_expires_at = kStart + 110s;
  slots.install(newer);

  EXPECT_EQ(sealing_id(slots, kStart + 110s), KeyId{1});
}

TEST(KeySlots, EvictsTheOldestForAThirdKey) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.confirm({1});
  slots.install(negotiated({2}, kStart + 200s));

  slots.expire(kStart + 200s);
  EXPECT_EQ(slots.count(), 2u);
  EXPECT_EQ(slots.find({0}, kStart + 201s), nullptr);
  EXPECT_NE(slots.find({1}, kStart + 201s), nullptr);
  EXPECT_NE(slots.find({2}, kStart + 201s), nullptr);
  EXPECT_EQ(sealing_id(slots, kStart + 201s), KeyId{1});
}

// Negotiations that follow one another fast: the peer still seals under the first key.
TEST(KeySlots, OpensUnderAThirdKeyWhileThePeerMayUseIt) {  // R17
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.confirm({1});
  slots.install(negotiated({2}, kStart + 110s));
  slots.confirm({2});

  EXPECT_EQ(slots.count(), KeySlots::kCountMax);
  EXPECT_NE(slots.find({0}, kStart + 164s), nullptr);
  EXPECT_EQ(sealing_id(slots, kStart + 111s), KeyId{1});
  EXPECT_EQ(slots.expires_at(), kStart + 165s);
  EXPECT_EQ(slots.find({0}, kStart + 165s), nullptr);
  slots.expire(kStart + 165s);
  EXPECT_EQ(slots.count(), 2u);
}

TEST(KeySlots, OpensLatePacketsUnderAThirdKeyThatThePeerHasLeft) {  // R17
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  slots.promote({1});
  slots.install(negotiated({2}, kStart + 110s));

  EXPECT_NE(slots.find({0}, kStart + 169s), nullptr);
  EXPECT_EQ(slots.find({0}, kStart + 170s), nullptr);
}

TEST(KeySlots, TakesNewKeysOfTheSameIdInPlaceOfTheNewest) {
  KeySlots slots;
  slots.install(negotiated({0}, kStart));
  ASSERT_TRUE(slots.find({0}, kStart)->take_packet_id());
  DataKeys other = test::make_keys({0}, 99);
  slots.install(other);

  EXPECT_EQ(slots.count(), 1u);
  EXPECT_EQ(slots.find({0}, kStart)->take_packet_id(), PacketId{1});
}

TEST(KeySlots, SurvivesKeyIdsGoingRoundFromSevenToOne) {
  KeySlots slots;
  KeyId id{0};
  for (int round = 0; round < 20; ++round) {
    const KeyId next = id.next();
    slots.install(negotiated(id, kStart + round * 100s));
    slots.confirm(id);
    slots.install(negotiated(next, kStart + round * 100s + 50s));
    slots.confirm(next);
    EXPECT_NE(slots.find(id, kStart + round * 100s + 50s), nullptr);
    EXPECT_NE(slots.find(next, kStart + round * 100s + 50s), nullptr);
    id = next.next();
  }
}

TEST(KeySlots, LeavesAUsedUpOlderKeyEarly) {
  KeySlots slots({.last_packet_id = 1});
  slots.install(negotiated({0}, kStart));
  slots.install(negotiated({1}, kStart + 100s));
  ASSERT_TRUE(slots.sealing(kStart + 101s)->take_packet_id());

  EXPECT_EQ(sealing_id(slots, kStart + 101s), KeyId{1});
}

TEST(KeySlots, TellsOnceThatTheNewestKeyIsWorn) {
  KeySlots slots({.worn_packet_id = 1});
  slots.install(negotiated({4}, kStart));
  EXPECT_EQ(slots.take_worn_key(), std::nullopt);
  ASSERT_TRUE(slots.sealing(kStart)->take_packet_id());

  EXPECT_EQ(slots.take_worn_key(), KeyId{4});
  EXPECT_EQ(slots.take_worn_key(), std::nullopt);
}

TEST(KeySlots, SaysNothingOfAWornKeyThatHasBeenReplaced) {
  KeySlots slots({.worn_packet_id = 1});
  slots.install(negotiated({4}, kStart));
  ASSERT_TRUE(slots.sealing(kStart)->take_packet_id());
  slots.install(negotiated({5}, kStart));

  EXPECT_EQ(slots.take_worn_key(), std::nullopt);
}

TEST(KeySlots, HoldsNoSecretAfterItsEnd) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    KeySlots slots;
    for (std::uint8_t id = 0; id < 8; ++id)
      slots.install(test::make_keys({id}, id, DataCipher::ChaCha20Poly1305));
    EXPECT_LE(SecretArena::slots_in_use(), before + 4);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

}  // namespace
}  // namespace ringway
