#include "dataplane/channel/aead_engines.h"

#include <gtest/gtest.h>

#include "tests/dataplane/channel/aead_support.h"

namespace ringway {
namespace {

TEST(AeadChoice, IsOpensslAndLibsodiumByDefault) {
  constexpr AeadChoice kChoice;
  EXPECT_EQ(kChoice.of(DataCipher::Aes128Gcm), AeadEngine::Openssl);
  EXPECT_EQ(kChoice.of(DataCipher::Aes256Gcm), AeadEngine::Openssl);
  EXPECT_EQ(kChoice.of(DataCipher::ChaCha20Poly1305), AeadEngine::Libsodium);
}

TEST(AeadChoice, GivesAnEngineOnlyWhatItCanServe) {
  const AeadChoice choice = AeadChoice::all(AeadEngine::Libsodium);
  EXPECT_EQ(choice.of(DataCipher::ChaCha20Poly1305), AeadEngine::Libsodium);
  EXPECT_EQ(choice.of(DataCipher::Aes256Gcm), AeadEngine::Openssl);
  EXPECT_FALSE(AeadChoice::all(AeadEngine::Openssl).uses(AeadEngine::Libsodium));
}

TEST(AeadChoice, DiesOfWhatAnEngineCannotServe) {
  AeadChoice choice;
  EXPECT_DEATH(choice.set(DataCipher::Aes256Gcm, AeadEngine::Libsodium), "can_serve");
}

TEST(AeadEngines, ServeAllThatWasChosen) {
  for (const test::EngineCase& one : test::engine_cases()) {
    const AeadEngines engines = one.engines();
    EXPECT_EQ(engines.choice().of(one.cipher), one.engine) << one.name();
  }
}

TEST(AeadEngines, HaveNoIpsecMbUnlessItServes) {
  const AeadEngines engines;
  EXPECT_DEATH((void)engines.ipsec_mb(), "ipsec_mb_");
}

}  // namespace
}  // namespace ringway
