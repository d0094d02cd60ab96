#include "dataplane/admission/tls_crypt_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/hex.h"

namespace ringway {
namespace {

using test::from_hex;
using test::to_hex;

// NIST SP 800-38A, F.5.5: CTR-AES256.Encrypt, all four blocks.
const std::vector<std::uint8_t> kKey =
    from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
const std::vector<std::uint8_t> kCounter = from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const std::vector<std::uint8_t> kPlain = from_hex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
constexpr const char* kCipher =
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";

TEST(TlsCryptStream, IsAes256InCounterMode) {
  std::vector<std::uint8_t> out(kPlain.size());

  apply_keystream(kKey, kCounter, kPlain, out);

  EXPECT_EQ(to_hex(out), kCipher);
}

TEST(TlsCryptStream, IsItsOwnInverseInPlace) {
  std::vector<std::uint8_t> bytes = kPlain;

  apply_keystream(kKey, kCounter, bytes, bytes);
  EXPECT_EQ(to_hex(bytes), kCipher);
  apply_keystream(kKey, kCounter, bytes, bytes);

  EXPECT_EQ(bytes, kPlain);
}

TEST(TlsCryptStream, TakesNothingAsWell) {
  std::vector<std::uint8_t> nothing;
  apply_keystream(kKey, kCounter, nothing, nothing);
  EXPECT_TRUE(nothing.empty());
}

}  // namespace
}  // namespace ringway
