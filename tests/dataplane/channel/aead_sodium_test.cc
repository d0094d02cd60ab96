#include "dataplane/channel/aead_sodium.h"

#include <gtest/gtest.h>

#include "tests/dataplane/channel/aead_support.h"

namespace ringway {
namespace {

TEST(SodiumChaCha, KeepsItsKeyInTheArenaAndWipesIt) {
  const std::size_t before = SecretArena::slots_in_use();
  {
    const SodiumChaCha key(std::vector<std::uint8_t>(32, 1));
    EXPECT_EQ(SecretArena::slots_in_use(), before + 1);
  }
  EXPECT_EQ(SecretArena::slots_in_use(), before);
}

TEST(SodiumChaCha, OpensWhatItSealedAndNothingElse) {
  test::SeededRandom random(3);
  const SodiumChaCha key(std::vector<std::uint8_t>(32, 1));
  const SodiumChaCha other(std::vector<std::uint8_t>(32, 2));
  test::SealedPacket packet = test::SealedPacket::random(random, 100);
  packet.seal_with(key);

  EXPECT_TRUE(packet.opens_with(key));
  EXPECT_FALSE(packet.opens_with(other));
}

}  // namespace
}  // namespace ringway
