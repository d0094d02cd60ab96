#include "control/channel/tls_names.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(TlsNames, TranslatesIanaNamesWithDashesOrUnderscores) {
  EXPECT_EQ(translate_cipher_list("TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384:"
                                  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305");
  EXPECT_EQ(translate_ciphersuites("TLS-AES-256-GCM-SHA384:TLS_CHACHA20_POLY1305_SHA256"),
            "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
}

TEST(TlsNames, KeepsOpenSslNamesAndKeywords) {
  const char* list = "ECDHE-RSA-AES128-GCM-SHA256:HIGH:!aNULL:@SECLEVEL=1:ECDHE+AESGCM";
  EXPECT_EQ(translate_cipher_list(list), list);
  EXPECT_EQ(translate_cipher_list(""), "");
}

TEST(TlsNames, RefusesNamesThatMeanNothing) {
  for (const char* list : {"AES-256-GCM", "HIGH:NOSUCHCIPHER", "TLS-ECDHE-RSA-WITH-NOTHING"}) {
    const auto translated = translate_cipher_list(list);
    ASSERT_FALSE(translated.has_value()) << list;
    EXPECT_NE(translated.error().what.find('"'), std::string::npos);
  }
  EXPECT_FALSE(translate_ciphersuites("TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384").has_value());
  EXPECT_FALSE(translate_ciphersuites("AES-256-GCM").has_value());
}

}  // namespace
}  // namespace ringway
