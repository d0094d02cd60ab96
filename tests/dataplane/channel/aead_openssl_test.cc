#include "dataplane/channel/aead_openssl.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/dataplane/channel/aead_support.h"

namespace ringway {
namespace {

// A TLS session of the same thread would take a leftover for its own (SSL_get_error(3)).
TEST(OpensslAead, LeavesNothingInTheErrorQueueWhenItRefuses) {
  for (const DataCipher cipher : kDataCiphers) {
    const std::vector<std::uint8_t> key(key_size_of(cipher));
    OpensslAead opener(AeadUse::Open, cipher, key);
    const test::SealedPacket forged{.ciphertext = std::vector<std::uint8_t>(32)};

    EXPECT_FALSE(forged.opens_with(opener));
    EXPECT_EQ(ERR_peek_error(), 0u) << name_of(cipher);
  }
}

TEST(OpensslAead, OpensOnAfterItHasRefused) {
  test::SeededRandom random(2);
  const std::vector<std::uint8_t> key(32, 1);
  OpensslAead sealer(AeadUse::Seal, DataCipher::Aes256Gcm, key);
  OpensslAead opener(AeadUse::Open, DataCipher::Aes256Gcm, key);
  test::SealedPacket packet = test::SealedPacket::random(random, 100);
  packet.seal_with(sealer);
  test::SealedPacket forged = packet;
  forged.tag[0] ^= 1;

  EXPECT_FALSE(forged.opens_with(opener));
  EXPECT_TRUE(packet.opens_with(opener));
}

}  // namespace
}  // namespace ringway
