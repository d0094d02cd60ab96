#include "dataplane/channel/epoch_keys.h"

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

/// 32 bytes are two blocks, and each packet counts for one more.
constexpr std::uint64_t kBlocksOfOne = 3;

void seal_as(EpochKeys& keys, Sealed& sealed) {
  const EpochKeys::Tool tool = keys.sealer(sealed.packet_id);
  tool.aead->seal(tool.nonce, {}, sealed.text, sealed.text, sealed.tag);
  keys.note_sealed(sealed.text.size());
}

Sealed seal_one(EpochKeys& keys) {
  Sealed sealed;
  sealed.packet_id = keys.take_packet_id().value();
  seal_as(keys, sealed);
  return sealed;
}

std::expected<void, Drop> open_one(EpochKeys& keys, Sealed sealed) {
  const auto tool = keys.opener(sealed.packet_id);
  if (!tool) return std::unexpected(tool.error());
  const bool is_authentic = tool->aead->open(tool->nonce, {}, sealed.text, sealed.tag, sealed.text);
  return keys.note_opened(sealed.packet_id, sealed.text.size(), is_authentic);
}

Sealed forged(std::uint16_t epoch, std::uint64_t counter) {
  Sealed sealed;
  sealed.packet_id = PacketId::of(epoch, counter);
  return sealed;
}

/// Both ends, with limits of their own.
struct Ends {
  explicit Ends(const KeyLimits& limits_of_ours = {}, const KeyLimits& limits_of_theirs = {},
                DataCipher cipher = DataCipher::Aes256Gcm)
      : ours(test::make_keys({0}, 1, cipher), limits_of_ours, AeadEngines()),
        theirs(test::make_peer_keys({0}, 1, cipher), limits_of_theirs, AeadEngines()) {
    prepare();
  }
  void prepare() {
    ours.prepare();
    theirs.prepare();
  }
  /// Ours goes on to `epoch`, one packet in each.
  Sealed seal_in(std::uint16_t epoch) {
    Sealed sealed = seal_one(ours);
    while (sealed.packet_id.epoch() < epoch) {
      ours.prepare();
      sealed = seal_one(ours);
    }
    return sealed;
  }

  EpochKeys ours;
  EpochKeys theirs;
};

/// A packet uses an epoch up.
constexpr KeyLimits kOnePacketEach{.epoch_gcm_blocks = kBlocksOfOne - 1};

TEST(EpochKeys, CountFromOneInTheFirstEpoch) {
  Ends ends;

  EXPECT_EQ(ends.ours.take_packet_id(), PacketId::of(1, 1));
  EXPECT_EQ(ends.ours.take_packet_id(), PacketId::of(1, 2));
}

TEST(EpochKeys, OpenWhatThePeerSealedOnce) {
  Ends ends;
  const Sealed sealed = seal_one(ends.ours);

  EXPECT_TRUE(open_one(ends.theirs, sealed));
  EXPECT_EQ(open_one(ends.theirs, sealed).error(), Drop::Replay);
  EXPECT_EQ(open_one(ends.ours, sealed).error(), Drop::BadTag);
}

// Security goal A22: without a negotiation.
TEST(EpochKeys, GoOnWhenTheBlocksOfAnEpochAreUsedUp) {
  Ends ends({.epoch_gcm_blocks = 2 * kBlocksOfOne - 1});

  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(1, 1));
  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(1, 2));
  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(2, 1));
  EXPECT_FALSE(ends.ours.is_worn());
}

TEST(EpochKeys, HaveNoBlockLimitUnderChaCha20) {
  Ends ends(kOnePacketEach, {}, DataCipher::ChaCha20Poly1305);
  seal_one(ends.ours);

  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(1, 2));
}

// Security goal A20.
TEST(EpochKeys, GoOnWhenTheCounterOfAnEpochIsUsedUp) {
  Ends ends({.last_epoch_counter = 2});
  seal_one(ends.ours);
  seal_one(ends.ours);

  EXPECT_FALSE(ends.ours.is_exhausted());
  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(2, 1));
}

// Security goal A20: a counter is never begun again, also when no next key is ready.
TEST(EpochKeys, RefuseToSealWithoutACounterAndWithoutANextEpoch) {
  Ends ends({.last_epoch_counter = 1});
  seal_one(ends.ours);
  seal_one(ends.ours);

  EXPECT_TRUE(ends.ours.is_exhausted());
  EXPECT_EQ(ends.ours.take_packet_id().error(), Drop::KeyExhausted);
  ends.ours.prepare();
  EXPECT_EQ(seal_one(ends.ours).packet_id, PacketId::of(3, 1));
}

TEST(EpochKeys, SealOnInAWornEpochUntilTheNextIsReady) {
  EpochKeys keys(test::make_keys({0}, 1), kOnePacketEach, AeadEngines());
  seal_one(keys);
  EXPECT_EQ(seal_one(keys).packet_id, PacketId::of(1, 2));

  EXPECT_TRUE(keys.needs_preparation());
  keys.prepare();

  EXPECT_EQ(seal_one(keys).packet_id, PacketId::of(2, 1));
}

TEST(EpochKeys, FollowThePeerAndSealInItsEpoch) {
  Ends ends(kOnePacketEach);
  const Sealed first = seal_one(ends.ours);
  const Sealed second = seal_one(ends.ours);
  ASSERT_EQ(second.packet_id.epoch(), 2);
  seal_one(ends.theirs);

  ASSERT_TRUE(open_one(ends.theirs, second));

  EXPECT_EQ(ends.theirs.open_epoch(), 2);
  const Sealed answer = seal_one(ends.theirs);
  EXPECT_EQ(answer.packet_id, PacketId::of(2, 1));
  EXPECT_TRUE(open_one(ends.ours, answer));
  // What was under way when the peer went on.
  EXPECT_TRUE(open_one(ends.theirs, first));
}

TEST(EpochKeys, HaveAReplayWindowForEachEpoch) {
  Ends ends({.epoch_gcm_blocks = 3 * kBlocksOfOne - 1});
  std::vector<Sealed> sealed;
  for (int i = 0; i < 6; ++i) sealed.push_back(seal_one(ends.ours));
  ASSERT_EQ(sealed.back().packet_id, PacketId::of(2, 3));

  // The later epoch first, and each of its ids was seen in the other epoch.
  for (const int i : {5, 3, 4, 2, 0, 1}) {
    EXPECT_TRUE(open_one(ends.theirs, sealed[static_cast<std::size_t>(i)])) << i;
  }

  for (const Sealed& one : sealed) EXPECT_EQ(open_one(ends.theirs, one).error(), Drop::Replay);
}

TEST(EpochKeys, OpenTheEpochBeforeAndNoneOlder) {
  Ends ends(kOnePacketEach);
  const Sealed first = ends.seal_in(1);
  const Sealed second = ends.seal_in(2);
  const Sealed third = ends.seal_in(3);

  ASSERT_TRUE(open_one(ends.theirs, third));

  // The epoch before is the one that was current before: the second was skipped.
  EXPECT_EQ(open_one(ends.theirs, second).error(), Drop::UnknownKey);
  EXPECT_TRUE(open_one(ends.theirs, first));
  ASSERT_TRUE(open_one(ends.theirs, ends.seal_in(4)));
  EXPECT_EQ(open_one(ends.theirs, first).error(), Drop::UnknownKey);
}

// Security goal A21: a packet makes no keys; what an attacker writes into it costs nothing.
TEST(EpochKeys, OpenFourEpochsAheadAndNoMore) {
  Ends ends(kOnePacketEach);
  const Sealed fifth = ends.seal_in(5);
  const Sealed sixth = ends.seal_in(6);

  EXPECT_EQ(open_one(ends.theirs, sixth).error(), Drop::UnknownKey);
  EXPECT_EQ(open_one(ends.theirs, forged(0, 1)).error(), Drop::UnknownKey);
  EXPECT_EQ(open_one(ends.theirs, forged(0xffff, 1)).error(), Drop::UnknownKey);
  EXPECT_TRUE(open_one(ends.theirs, fifth));
  // Not before there was time to make its key.
  EXPECT_EQ(open_one(ends.theirs, sixth).error(), Drop::UnknownKey);
  ends.theirs.prepare();
  EXPECT_TRUE(open_one(ends.theirs, sixth));
}

TEST(EpochKeys, DoNotFollowAForgery) {
  Ends ends(kOnePacketEach);
  const Sealed first = seal_one(ends.ours);

  EXPECT_EQ(open_one(ends.theirs, forged(2, 1)).error(), Drop::BadTag);

  EXPECT_EQ(ends.theirs.open_epoch(), 1);
  EXPECT_TRUE(open_one(ends.theirs, first));
}

TEST(EpochKeys, RefuseTheCounterZero) {
  Ends ends;
  Sealed sealed;
  sealed.packet_id = PacketId::of(1, 0);
  seal_as(ends.ours, sealed);

  EXPECT_EQ(open_one(ends.theirs, sealed).error(), Drop::Replay);
}

TEST(EpochKeys, CatchUpWithAPeerThatIsFarAhead) {
  Ends ends(kOnePacketEach);
  for (std::uint16_t epoch = 5; epoch <= 17; epoch = static_cast<std::uint16_t>(epoch + 4)) {
    ASSERT_TRUE(open_one(ends.theirs, ends.seal_in(epoch))) << epoch;
    ends.theirs.prepare();
  }

  EXPECT_EQ(seal_one(ends.theirs).packet_id, PacketId::of(17, 1));
}

TEST(EpochKeys, SayTheNewestIdAcrossEpochs) {
  Ends ends(kOnePacketEach);
  const Sealed first = seal_one(ends.ours);
  const Sealed second = seal_one(ends.ours);

  ASSERT_TRUE(open_one(ends.theirs, second));
  const PacketId newest = ends.theirs.newest_opened();
  ASSERT_TRUE(open_one(ends.theirs, first));

  EXPECT_EQ(newest, PacketId::of(2, 1));
  EXPECT_EQ(ends.theirs.newest_opened(), newest);
}

// Security goal A22. The peer follows us, and so leaves the key that is attacked.
TEST(EpochKeys, GoOnWhenTheEpochThatOpensIsWornByForgeries) {
  Ends ends({}, {.worn_failed_opens = 2, .dead_failed_opens = 3});
  ASSERT_FALSE(open_one(ends.theirs, forged(1, 1)));
  ASSERT_FALSE(open_one(ends.theirs, forged(1, 1)));
  ends.prepare();

  const Sealed asking = seal_one(ends.theirs);
  ASSERT_EQ(asking.packet_id.epoch(), 2);
  ASSERT_TRUE(open_one(ends.ours, asking));

  EXPECT_TRUE(open_one(ends.theirs, seal_one(ends.ours)));
  EXPECT_EQ(ends.theirs.open_epoch(), 2);
}

// Security goal A22.
TEST(EpochKeys, OpenNothingMoreInAnEpochThatIsDeadByForgeries) {
  Ends ends({}, {.worn_failed_opens = 1, .dead_failed_opens = 2});
  ASSERT_FALSE(open_one(ends.theirs, forged(1, 1)));
  ASSERT_FALSE(open_one(ends.theirs, forged(1, 1)));

  EXPECT_EQ(open_one(ends.theirs, seal_one(ends.ours)).error(), Drop::KeyExhausted);
}

TEST(EpochKeys, GoOnWhenThePeerHasWornItsEpoch) {
  Ends ends({}, {.worn_gcm_blocks = kBlocksOfOne - 1});
  ASSERT_TRUE(open_one(ends.theirs, seal_one(ends.ours)));
  ends.prepare();

  EXPECT_EQ(seal_one(ends.theirs).packet_id.epoch(), 2);
}

TEST(EpochKeys, AreWornByForgeriesUnderEpochsToCome) {
  Ends ends({}, {.worn_failed_opens = 1});
  ASSERT_FALSE(open_one(ends.theirs, forged(3, 1)));
  ends.prepare();

  EXPECT_TRUE(ends.theirs.is_worn());
}

TEST(EpochKeys, AreWornByThePacketsOfAllEpochs) {
  Ends ends({.worn_packets = 4, .epoch_gcm_blocks = kBlocksOfOne - 1});
  ASSERT_TRUE(open_one(ends.ours, seal_one(ends.theirs)));
  ends.seal_in(2);
  EXPECT_FALSE(ends.ours.is_worn());

  ends.seal_in(3);

  EXPECT_TRUE(ends.ours.is_worn());
}

TEST(EpochKeys, EndBeforeTheirNumbersDo) {
  Ends ends(kOnePacketEach);
  EXPECT_FALSE(ends.ours.is_worn());
  ends.seal_in(EpochKeys::kWornEpoch);
  EXPECT_TRUE(ends.ours.is_worn());
  ends.seal_in(EpochKeys::kLastEpoch);

  ends.ours.prepare();

  EXPECT_FALSE(ends.ours.needs_preparation());
  EXPECT_EQ(seal_one(ends.ours).packet_id.epoch(), EpochKeys::kLastEpoch);
}

// The key to seal with and the next, the keys to open with, and two secrets.
TEST(EpochKeys, WipeEpochsThatAreOver) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    Ends ends(kOnePacketEach, kOnePacketEach, DataCipher::ChaCha20Poly1305);
    const std::size_t at_first = SecretArena::slots_in_use();
    EXPECT_EQ(at_first - before, 2 * (2 + 5 + 2));
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);

  const AeadEngines engines(AeadChoice::all(AeadEngine::Libsodium));
  EpochKeys ours(test::make_keys({0}, 1, DataCipher::ChaCha20Poly1305), {.last_epoch_counter = 1},
                 engines);
  EpochKeys theirs(test::make_peer_keys({0}, 1, DataCipher::ChaCha20Poly1305), {}, engines);
  for (int i = 0; i < 20; ++i) {
    ours.prepare();
    theirs.prepare();
    ASSERT_TRUE(open_one(theirs, seal_one(ours)));
  }
  ours.prepare();
  theirs.prepare();
  // Theirs opens with one more: the epoch before. Ours was sealed to nothing.
  EXPECT_EQ(SecretArena::slots_in_use() - before, (2u + 5 + 2) + (2u + 6 + 2));
}

TEST(EpochKeys, HaveTheLimitsOfTheProtocolByDefault) {
  constexpr KeyLimits kLimits;
  EXPECT_EQ(kLimits.epoch_gcm_blocks, 68'719'476'735u);
  EXPECT_EQ(kLimits.last_epoch_counter, 0xffff'ffff'fffeu);
  EXPECT_EQ(EpochKeys::kWornEpoch, 0xf000);
}

}  // namespace
}  // namespace ringway
