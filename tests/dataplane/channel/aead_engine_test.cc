#include "dataplane/channel/aead_engine.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(AeadEngine, IsKnownByItsNameAlone) {
  for (const AeadEngine engine : kAeadEngines)
    EXPECT_EQ(parse_aead_engine(name_of(engine)), engine);
  EXPECT_FALSE(parse_aead_engine("auto"));
  EXPECT_FALSE(parse_aead_engine("OpenSSL"));
  EXPECT_FALSE(parse_aead_engine(""));
}

TEST(AeadEngine, ServesEveryCipherExceptLibsodium) {
  for (const DataCipher cipher : kDataCiphers) {
    EXPECT_TRUE(can_serve(AeadEngine::IpsecMb, cipher));
    EXPECT_TRUE(can_serve(AeadEngine::Openssl, cipher));
  }
  EXPECT_TRUE(can_serve(AeadEngine::Libsodium, DataCipher::ChaCha20Poly1305));
  EXPECT_FALSE(can_serve(AeadEngine::Libsodium, DataCipher::Aes256Gcm));
}

TEST(AeadEngine, IsBuiltInWhereEveryMachineHasIt) {
  EXPECT_TRUE(is_built_in(AeadEngine::Openssl));
  EXPECT_TRUE(is_built_in(AeadEngine::Libsodium));
}

}  // namespace
}  // namespace ringway
