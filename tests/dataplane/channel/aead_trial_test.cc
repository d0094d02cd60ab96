#include "dataplane/channel/aead_trial.h"

#include <gtest/gtest.h>

#include <vector>

namespace ringway {
namespace {

AeadTrial trial(AeadEngine engine, DataCipher cipher, double packet_ns) {
  return {.engine = engine, .cipher = cipher, .passed = true, .packet_ns = packet_ns};
}
AeadTrial failed(AeadEngine engine, DataCipher cipher) {
  return {.engine = engine, .cipher = cipher};
}

constexpr DataCipher kAes = DataCipher::Aes256Gcm;
constexpr DataCipher kChaCha = DataCipher::ChaCha20Poly1305;

TEST(AeadTrial, ChoosesTheFastestEngineForEachCipher) {
  const std::vector<AeadTrial> trials = {trial(AeadEngine::Openssl, kAes, 100),
                                         trial(AeadEngine::Openssl, kChaCha, 700),
                                         trial(AeadEngine::Libsodium, kChaCha, 600)};
  const DataCipher ciphers[] = {kAes, kChaCha};

  const Result<AeadChoice> choice = choose_aead_engines(trials, std::nullopt, ciphers);

  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->of(kAes), AeadEngine::Openssl);
  EXPECT_EQ(choice->of(kChaCha), AeadEngine::Libsodium);
}

// Security goal A27.
TEST(AeadTrial, NeverChoosesAnEngineThatFailedItsTest) {
  const std::vector<AeadTrial> trials = {failed(AeadEngine::Libsodium, kChaCha),
                                         trial(AeadEngine::Openssl, kChaCha, 9000)};
  const DataCipher ciphers[] = {kChaCha};

  EXPECT_EQ(choose_aead_engines(trials, std::nullopt, ciphers)->of(kChaCha), AeadEngine::Openssl);
  const auto forced = choose_aead_engines(trials, AeadEngine::Libsodium, ciphers);
  ASSERT_FALSE(forced);
  EXPECT_NE(forced.error().what.find("does not work"), std::string::npos);
}

TEST(AeadTrial, RefusesToStartWhenNothingComputesACipher) {
  const std::vector<AeadTrial> trials = {failed(AeadEngine::Openssl, kAes)};
  const DataCipher ciphers[] = {kAes};

  EXPECT_FALSE(choose_aead_engines(trials, std::nullopt, ciphers));
}

TEST(AeadTrial, FollowsWhoAsksForASlowerEngine) {
  const std::vector<AeadTrial> trials = {trial(AeadEngine::Openssl, kChaCha, 900),
                                         trial(AeadEngine::Libsodium, kChaCha, 600)};
  const DataCipher ciphers[] = {kChaCha};

  EXPECT_EQ(choose_aead_engines(trials, AeadEngine::Openssl, ciphers)->of(kChaCha),
            AeadEngine::Openssl);
}

TEST(AeadTrial, SaysWhichCipherAnEngineCannotServe) {
  const std::vector<AeadTrial> trials = {trial(AeadEngine::Openssl, kAes, 100),
                                         trial(AeadEngine::Libsodium, kChaCha, 600)};
  const DataCipher ciphers[] = {kAes, kChaCha};

  const auto choice = choose_aead_engines(trials, AeadEngine::Libsodium, ciphers);

  ASSERT_FALSE(choice);
  EXPECT_NE(choice.error().what.find("AES-256-GCM"), std::string::npos);
  EXPECT_NE(choice.error().advice.find("aead-engine auto"), std::string::npos);
}

TEST(AeadTrial, IsFoundByCipherAndEngine) {
  const std::vector<AeadTrial> trials = {trial(AeadEngine::Openssl, kAes, 100)};
  EXPECT_EQ(find_trial(trials, kAes, AeadEngine::Openssl), trials.data());
  EXPECT_EQ(find_trial(trials, kAes, AeadEngine::IpsecMb), nullptr);
}

}  // namespace
}  // namespace ringway
