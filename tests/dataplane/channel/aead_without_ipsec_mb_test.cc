#include <gtest/gtest.h>

#include "dataplane/channel/aead_ipsec_mb.h"
#include "dataplane/channel/aead_trial.h"
#include "tests/dataplane/channel/aead_support.h"

// A build without ipsec-mb: the other engines serve, and whoever asks for this one is told.
namespace ringway {
namespace {

TEST(AeadWithoutIpsecMb, SaysThatItIsMissingAndWhatToDo) {
  EXPECT_FALSE(IpsecMb::is_built_in());
  EXPECT_FALSE(is_built_in(AeadEngine::IpsecMb));

  const Result<IpsecMb> library = IpsecMb::open();

  ASSERT_FALSE(library);
  EXPECT_NE(library.error().what.find("built without ipsec-mb"), std::string::npos);
  EXPECT_NE(library.error().advice.find("aead-engine auto"), std::string::npos);
}

TEST(AeadWithoutIpsecMb, HasAnEngineForEveryCipher) {
  for (const DataCipher cipher : kDataCiphers) {
    const auto cases = test::engine_cases();
    EXPECT_TRUE(std::ranges::any_of(
        cases, [&](const test::EngineCase& one) { return one.cipher == cipher; }));
  }
}

TEST(AeadWithoutIpsecMb, IsRefusedByNameWhenItIsAskedFor) {
  const AeadTrial trials[] = {{.engine = AeadEngine::Openssl,
                               .cipher = DataCipher::Aes256Gcm,
                               .passed = true,
                               .packet_ns = 600}};
  const DataCipher ciphers[] = {DataCipher::Aes256Gcm};

  const auto choice = choose_aead_engines(trials, AeadEngine::IpsecMb, ciphers);

  ASSERT_FALSE(choice);
  EXPECT_NE(choice.error().what.find("built without ipsec-mb"), std::string::npos);
}

}  // namespace
}  // namespace ringway
