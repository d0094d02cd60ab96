#include "dataplane/channel/key_state.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/channel/test_keys.h"

namespace ringway {
namespace {

struct Sealed {
  PacketId packet_id;
  std::array<std::uint8_t, 32> text{};
  std::array<std::uint8_t, kAeadTagSize> tag{};
};

Sealed seal_one(KeyState& key) {
  Sealed sealed;
  sealed.packet_id = key.take_packet_id().value();
  key.seal(sealed.packet_id, {}, sealed.text, sealed.text, sealed.tag);
  return sealed;
}

std::expected<void, Drop> open_one(KeyState& key, Sealed sealed) {
  return key.open(sealed.packet_id, {}, sealed.text, sealed.tag, sealed.text);
}

Sealed forged(std::uint32_t packet_id) {
  Sealed sealed;
  sealed.packet_id = {packet_id};
  return sealed;
}

TEST(KeyState, OpensWhatThePeerSealedOnce) {
  KeyState ours(test::make_keys({0}, 1));
  KeyState theirs(test::make_peer_keys({0}, 1));
  const Sealed sealed = seal_one(ours);

  EXPECT_TRUE(open_one(theirs, sealed));
  EXPECT_EQ(open_one(theirs, sealed).error(), Drop::Replay);
}

TEST(KeyState, DoesNotOpenItsOwnDirection) {
  KeyState ours(test::make_keys({0}, 1));

  EXPECT_EQ(open_one(ours, seal_one(ours)).error(), Drop::BadTag);
}

// Security goal A19: otherwise a forged id far ahead would lock the real peer out.
TEST(KeyState, KeepsItsReplayWindowWhenAPacketIsForged) {
  KeyState ours(test::make_keys({0}, 1));
  KeyState theirs(test::make_peer_keys({0}, 1));
  const Sealed sealed = seal_one(ours);

  EXPECT_EQ(open_one(theirs, forged(0xffff'ffff)).error(), Drop::BadTag);
  EXPECT_EQ(open_one(theirs, forged(1)).error(), Drop::BadTag);

  EXPECT_TRUE(open_one(theirs, sealed));
}

// Security goal A20.
TEST(KeyState, RefusesToSealWhenItsPacketIdsAreUsedUp) {
  KeyState key(test::make_keys({0}, 1), {.last_packet_id = 2});
  ASSERT_TRUE(key.take_packet_id());
  EXPECT_FALSE(key.is_exhausted());
  ASSERT_TRUE(key.take_packet_id());

  EXPECT_TRUE(key.is_exhausted());
  EXPECT_EQ(key.take_packet_id().error(), Drop::KeyExhausted);
  EXPECT_EQ(key.take_packet_id().error(), Drop::KeyExhausted);
}

TEST(KeyState, IsWornByAHighPacketIdOfOurs) {
  KeyState key(test::make_keys({0}, 1), {.worn_packet_id = 2});
  seal_one(key);
  EXPECT_FALSE(key.take_wear_notice());
  seal_one(key);

  EXPECT_TRUE(key.take_wear_notice());
  EXPECT_FALSE(key.take_wear_notice());
  EXPECT_TRUE(key.is_worn());
}

TEST(KeyState, IsWornByAHighPacketIdOfThePeers) {
  KeyState ours(test::make_keys({0}, 1));
  KeyState theirs(test::make_peer_keys({0}, 1), {.worn_packet_id = 2});
  ASSERT_TRUE(open_one(theirs, seal_one(ours)));
  EXPECT_FALSE(theirs.is_worn());
  ASSERT_TRUE(open_one(theirs, seal_one(ours)));

  EXPECT_TRUE(theirs.is_worn());
}

// Security goal A22. 32 bytes are two blocks, and each packet counts for one more.
TEST(KeyState, IsWornByTheBlocksThatItSealedUnderAesGcm) {
  KeyState key(test::make_keys({0}, 1), {.worn_gcm_blocks = 6});
  seal_one(key);
  seal_one(key);
  EXPECT_FALSE(key.is_worn());
  seal_one(key);

  EXPECT_TRUE(key.is_worn());
}

TEST(KeyState, IsWornByTheBlocksThatItOpenedUnderAesGcm) {
  KeyState ours(test::make_keys({0}, 1));
  KeyState theirs(test::make_peer_keys({0}, 1), {.worn_gcm_blocks = 3});
  ASSERT_TRUE(open_one(theirs, seal_one(ours)));
  EXPECT_FALSE(theirs.is_worn());
  ASSERT_TRUE(open_one(theirs, seal_one(ours)));

  EXPECT_TRUE(theirs.is_worn());
}

TEST(KeyState, HasNoBlockLimitUnderChaCha20) {
  KeyState key(test::make_keys({0}, 1, DataCipher::ChaCha20Poly1305), {.worn_gcm_blocks = 1});
  seal_one(key);

  EXPECT_FALSE(key.is_worn());
}

TEST(KeyState, IsWornAndThenDeadByForgeries) {
  KeyState ours(test::make_keys({0}, 1));
  KeyState theirs(test::make_peer_keys({0}, 1), {.worn_failed_opens = 2, .dead_failed_opens = 3});
  ASSERT_FALSE(open_one(theirs, forged(1)));
  EXPECT_FALSE(theirs.is_worn());
  ASSERT_FALSE(open_one(theirs, forged(2)));
  EXPECT_TRUE(theirs.is_worn());
  ASSERT_TRUE(open_one(theirs, seal_one(ours)));
  ASSERT_FALSE(open_one(theirs, forged(3)));

  EXPECT_EQ(open_one(theirs, seal_one(ours)).error(), Drop::KeyExhausted);
}

TEST(KeyState, HasTheLimitsOfTheProtocolByDefault) {
  constexpr KeyLimits kLimits;
  EXPECT_EQ(kLimits.worn_packet_id, 0x8000'0000u);
  EXPECT_EQ(kLimits.last_packet_id, 0xffff'fffeu);
  EXPECT_EQ(kLimits.worn_gcm_blocks, 60'129'542'137u);
  EXPECT_EQ(kLimits.worn_failed_opens, std::uint64_t{1} << 35);
  EXPECT_EQ(kLimits.dead_failed_opens, std::uint64_t{1} << 36);
}

}  // namespace
}  // namespace ringway
