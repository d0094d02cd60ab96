#include "control/aead_start.h"

#include <gtest/gtest.h>

#include "dataplane/channel/aead_ipsec_mb.h"

namespace ringway {
namespace {

TEST(AeadStart, TriesEveryEngineThatIsThereWithEveryCipherItCanServe) {
  const std::vector<AeadTrial> trials = try_aead_engines();

  EXPECT_EQ(trials.size(), IpsecMb::open() ? 7u : 4u);
  for (const AeadTrial& trial : trials) {
    EXPECT_TRUE(trial.passed) << name_of(trial.engine) << name_of(trial.cipher);
    EXPECT_GT(trial.packet_ns, 0) << name_of(trial.engine) << name_of(trial.cipher);
  }
}

TEST(AeadStart, SaysWhoServesAndWhatItCosts) {
  const AeadTrial trials[] = {
      {.engine = AeadEngine::Openssl, .cipher = DataCipher::Aes256Gcm, .packet_ns = 596.4}};
  const DataCipher ciphers[] = {DataCipher::Aes256Gcm};

  EXPECT_EQ(aead_line(AeadChoice(), trials, ciphers),
            "AES-256-GCM by openssl, 596 ns for 1,400 bytes");
}

TEST(AeadStart, NamesTheEnginesOfTheBuild) {
  EXPECT_NE(built_in_engines().find("openssl, libsodium"), std::string::npos);
  EXPECT_EQ(built_in_engines().starts_with("ipsec-mb, "), IpsecMb::is_built_in());
}

TEST(AeadStart, RefusesAnEngineThatCannotServe) {
  EXPECT_FALSE(choose_aead(AeadEngine::Libsodium, kDataCiphers));
  const auto choice = choose_aead(AeadEngine::Openssl, kDataCiphers);
  ASSERT_TRUE(choice);
  EXPECT_FALSE(choice->uses(AeadEngine::Libsodium));
}

}  // namespace
}  // namespace ringway
