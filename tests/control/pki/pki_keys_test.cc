#include "control/pki/pki_keys.h"

#include <gtest/gtest.h>

#include "control/channel/certificates.h"

namespace ringway {
namespace {

TEST(PkiKeys, AreOfTheKindAskedForAndReadAgain) {
  for (const char* name : {"p256", "ed25519", "rsa"}) {
    const auto kind = parse_key_kind(name);
    ASSERT_TRUE(kind.has_value());
    const openssl::KeyPtr key = make_key(*kind);
    const std::string plain = private_key_text(key.get(), {});
    EXPECT_FALSE(is_encrypted_key(plain));
    EXPECT_TRUE(parse_private_key(plain, "here").has_value()) << name;
    const std::string locked = private_key_text(key.get(), "open sesame");
    EXPECT_TRUE(is_encrypted_key(locked));
    EXPECT_FALSE(parse_private_key(locked, "here").has_value());
    EXPECT_TRUE(parse_private_key(locked, "here", "open sesame").has_value());
    EXPECT_GE(EVP_PKEY_get_security_bits(key.get()), 128) << name;
  }
  EXPECT_FALSE(parse_key_kind("dsa"));
}

}  // namespace
}  // namespace ringway
