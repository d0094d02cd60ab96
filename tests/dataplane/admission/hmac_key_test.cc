#include "dataplane/admission/hmac_key.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/hex.h"

namespace ringway {
namespace {

using test::from_hex;
using test::to_hex;

std::string mac_of(const HmacKey& key, std::initializer_list<Bytes> parts) {
  std::vector<std::uint8_t> mac(key.size());
  key.compute(parts, mac);
  return to_hex(mac);
}

struct KnownAnswer {
  Digest digest;
  const char* mac;
};

// RFC 4231 test case 2 and, for SHA-1, RFC 2202 test case 2: key "Jefe".
constexpr KnownAnswer kJefe[] = {
    {Digest::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {Digest::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
    {Digest::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {Digest::Sha384,
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21"
     "649"},
    {Digest::Sha512,
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e"
     "6fdcaeab1a34d4a6b4b636e070a38bce737"},
};

TEST(HmacKey, GivesTheKnownAnswersOfTheRfcs) {
  for (const KnownAnswer& known : kJefe) {
    const HmacKey key(bytes_of("Jefe"), known.digest);

    EXPECT_EQ(mac_of(key, {bytes_of("what do ya want for nothing?")}), known.mac);
    EXPECT_EQ(key.size(), size_of(known.digest));
  }
}

TEST(HmacKey, GivesTheSameMacHoweverTheMessageIsCut) {
  const HmacKey key(bytes_of("Jefe"), Digest::Sha256);

  EXPECT_EQ(mac_of(key, {bytes_of("what do ya "), Bytes{}, bytes_of("want for nothing?")}),
            kJefe[2].mac);
}

TEST(HmacKey, CanBeUsedAgain) {
  const HmacKey key(bytes_of("Jefe"), Digest::Sha256);
  (void)mac_of(key, {bytes_of("something else")});

  EXPECT_EQ(mac_of(key, {bytes_of("what do ya want for nothing?")}), kJefe[2].mac);
}

TEST(HmacKey, TakesAKeyOfAWholeBlock) {
  // RFC 4231 has no such case; recomputed with Python's hmac module.
  const std::vector<std::uint8_t> key(64, 0xaa);

  EXPECT_EQ(mac_of(HmacKey(key, Digest::Sha256), {bytes_of("Hi There")}),
            "ebef34e13d0a0fe04593d043bc7a865106db0604211d404c18206d862e5d7852");
}

TEST(HmacKey, RefusesEveryFlippedBitAndEveryShortMac) {
  const HmacKey key(bytes_of("Jefe"), Digest::Sha1);
  const std::vector<std::uint8_t> mac = from_hex(kJefe[0].mac);
  const Bytes message = bytes_of("what do ya want for nothing?");
  ASSERT_TRUE(key.verify({message}, mac));

  for (std::size_t bit = 0; bit < 8 * mac.size(); ++bit) {
    std::vector<std::uint8_t> flipped = mac;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(key.verify({message}, flipped)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < mac.size(); ++size) {
    EXPECT_FALSE(key.verify({message}, Bytes(mac).first(size))) << "size " << size;
  }
}

}  // namespace
}  // namespace ringway
