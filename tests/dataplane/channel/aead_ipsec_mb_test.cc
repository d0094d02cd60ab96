#include "dataplane/channel/aead_ipsec_mb.h"

#include <gtest/gtest.h>

#include "dataplane/channel/aead_engine.h"
#include "tests/dataplane/channel/aead_support.h"

namespace ringway {
namespace {

using test::SealedPacket;

class IpsecMbTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(library_) << library_.error().to_string(); }
  Result<IpsecMb> library_ = IpsecMb::open();
};

TEST_F(IpsecMbTest, IsAmongTheEnginesOfThisBuild) {
  EXPECT_TRUE(IpsecMb::is_built_in());
  EXPECT_TRUE(is_built_in(AeadEngine::IpsecMb));
}

// Security goal A26.
TEST_F(IpsecMbTest, KeepsExpandedKeysInTheArenaAndWipesThem) {
  const std::size_t before = SecretArena::key_schedules_in_use();
  const std::vector<std::uint8_t> key(32, 7);
  {
    const IpsecMbGcm sealer(*library_, AeadUse::Seal, DataCipher::Aes256Gcm, key);
    const IpsecMbGcm opener(*library_, AeadUse::Open, DataCipher::Aes256Gcm, key);
    EXPECT_EQ(SecretArena::key_schedules_in_use(), before + 2);
  }
  EXPECT_EQ(SecretArena::key_schedules_in_use(), before);
}

TEST_F(IpsecMbTest, ServesManyKeysThroughOneManagerInAnyOrder) {
  test::SeededRandom random(4);
  std::vector<IpsecMbChaCha> keys;
  std::vector<SealedPacket> packets;
  for (int i = 0; i < 20; ++i) {
    std::vector<std::uint8_t> key(32);
    random.fill(key);
    keys.emplace_back(*library_, key);
  }
  // More than the ring of jobs has places, so that it goes round.
  for (std::size_t i = 0; i < 600; ++i) {
    packets.push_back(SealedPacket::random(random, i % 300));
    packets.back().seal_with(keys[i % keys.size()]);
  }
  for (std::size_t i = packets.size(); i-- > 0;)
    ASSERT_TRUE(packets[i].opens_with(keys[i % keys.size()])) << i;
}

TEST_F(IpsecMbTest, SealsAesGcmAfterItsManagerIsGone) {
  const std::vector<std::uint8_t> key(16, 9);
  const IpsecMbGcm sealer(*library_, AeadUse::Seal, DataCipher::Aes128Gcm, key);
  const IpsecMbGcm opener(*library_, AeadUse::Open, DataCipher::Aes128Gcm, key);
  library_ = fail("gone");
  test::SeededRandom random(5);
  SealedPacket packet = SealedPacket::random(random, 100);

  packet.seal_with(sealer);

  EXPECT_TRUE(packet.opens_with(opener));
}

}  // namespace
}  // namespace ringway
