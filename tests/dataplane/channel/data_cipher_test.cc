#include "dataplane/channel/data_cipher.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(DataCipher, IsParsedFromItsNameInAnyCase) {
  for (const DataCipher cipher :
       {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305}) {
    EXPECT_EQ(parse_data_cipher(name_of(cipher)), cipher);
  }
  EXPECT_EQ(parse_data_cipher("aes-256-gcm"), DataCipher::Aes256Gcm);
  EXPECT_EQ(parse_data_cipher("ChaCha20-Poly1305"), DataCipher::ChaCha20Poly1305);
}

TEST(DataCipher, IsNothingThatRingwayDoesNotSpeak) {
  for (const char* name : {"", "AES-192-GCM", "AES-256-CBC", "BF-CBC", "none", "AES-256-GCM ",
                           "AES-256-GC", "AES-256-GCMM"}) {
    EXPECT_EQ(parse_data_cipher(name), std::nullopt) << name;
  }
}

TEST(DataCipher, HasTheKeySizeOfItsName) {
  EXPECT_EQ(key_size_of(DataCipher::Aes128Gcm), 16u);
  EXPECT_EQ(key_size_of(DataCipher::Aes256Gcm), 32u);
  EXPECT_EQ(key_size_of(DataCipher::ChaCha20Poly1305), 32u);
}

}  // namespace
}  // namespace ringway
