#include "dataplane/channel/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <vector>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::from_hex;
using test::to_hex;

struct KnownAnswer {
  const char* source;
  DataCipher cipher;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* plaintext;
  const char* ciphertext;
  const char* tag;
};

// The test cases that the algorithms' own documents print.
constexpr KnownAnswer kKnownAnswers[] = {
    {"McGrew & Viega, The Galois/Counter Mode of Operation, test case 4", DataCipher::Aes128Gcm,
     "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"the same, test case 16", DataCipher::Aes256Gcm,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 2.8.2", DataCipher::ChaCha20Poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
};

AeadNonce nonce_of(Bytes bytes) {
  AeadNonce nonce{};
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

constexpr DataCipher kAllCiphers[] = {DataCipher::Aes128Gcm, DataCipher::Aes256Gcm,
                                      DataCipher::ChaCha20Poly1305};

TEST(Aead, SealsTheKnownAnswers) {
  for (const KnownAnswer& known : kKnownAnswers) {
    Aead aead(Aead::Use::Seal, known.cipher, from_hex(known.key));
    const auto plaintext = from_hex(known.plaintext);
    std::vector<std::uint8_t> ciphertext(plaintext.size());
    std::array<std::uint8_t, kAeadTagSize> tag{};

    aead.seal(nonce_of(from_hex(known.nonce)), from_hex(known.associated), plaintext, ciphertext,
              tag);

    EXPECT_EQ(to_hex(ciphertext), known.ciphertext) << known.source;
    EXPECT_EQ(to_hex(tag), known.tag) << known.source;
  }
}

TEST(Aead, OpensTheKnownAnswers) {
  for (const KnownAnswer& known : kKnownAnswers) {
    Aead aead(Aead::Use::Open, known.cipher, from_hex(known.key));
    const auto ciphertext = from_hex(known.ciphertext);
    std::vector<std::uint8_t> plaintext(ciphertext.size());

    EXPECT_TRUE(aead.open(nonce_of(from_hex(known.nonce)), from_hex(known.associated), ciphertext,
                          from_hex(known.tag), plaintext))
        << known.source;
    EXPECT_EQ(to_hex(plaintext), known.plaintext) << known.source;
  }
}

// The constants that OpenVPN asserts itself for its short packet-id format.
TEST(Aead, SealsAndOpensTheVectorOfOpenvpnsUnitTest) {
  const auto vector = test::load_vector("unit-test-aead-shortpid");
  const auto text = vector.text("plaintext");
  const auto packet = vector.bytes("packet");
  const AeadNonce nonce = nonce_of(vector.bytes("nonce"));
  const Bytes tag = Bytes(packet).subspan(8, kAeadTagSize);
  const Bytes sealed = Bytes(packet).subspan(8 + kAeadTagSize);

  Aead sealer(Aead::Use::Seal, DataCipher::Aes256Gcm, vector.bytes("key"));
  std::vector<std::uint8_t> ciphertext(text.size());
  std::array<std::uint8_t, kAeadTagSize> own_tag{};
  sealer.seal(nonce, vector.bytes("aad"), bytes_of(text), ciphertext, own_tag);
  EXPECT_EQ(to_hex(ciphertext), to_hex(sealed));
  EXPECT_EQ(to_hex(own_tag), to_hex(tag));

  Aead opener(Aead::Use::Open, DataCipher::Aes256Gcm, vector.bytes("key"));
  std::vector<std::uint8_t> plaintext(sealed.size());
  ASSERT_TRUE(opener.open(nonce, vector.bytes("aad"), sealed, tag, plaintext));
  EXPECT_EQ(text_of(plaintext), text);
}

TEST(Aead, WorksInPlaceAndIntoAnotherBufferAlikeForEveryLength) {
  test::SeededRandom random(1);
  for (const DataCipher cipher : kAllCiphers) {
    std::vector<std::uint8_t> key(key_size_of(cipher));
    random.fill(key);
    Aead sealer(Aead::Use::Seal, cipher, key);
    Aead opener(Aead::Use::Open, cipher, key);
    for (std::size_t size = 0; size < 300; ++size) {
      std::vector<std::uint8_t> plaintext(size);
      random.fill(plaintext);
      AeadNonce nonce;
      random.fill(nonce);
      std::vector<std::uint8_t> apart(size);
      std::vector<std::uint8_t> in_place = plaintext;
      std::array<std::uint8_t, kAeadTagSize> tag_apart{};
      std::array<std::uint8_t, kAeadTagSize> tag_in_place{};

      sealer.seal(nonce, key, plaintext, apart, tag_apart);
      sealer.seal(nonce, key, in_place, in_place, tag_in_place);

      ASSERT_EQ(apart, in_place) << name_of(cipher) << size;
      ASSERT_EQ(tag_apart, tag_in_place) << name_of(cipher) << size;
      std::vector<std::uint8_t> opened(size);
      ASSERT_TRUE(opener.open(nonce, key, apart, tag_apart, opened)) << name_of(cipher) << size;
      ASSERT_TRUE(opener.open(nonce, key, in_place, tag_apart, in_place)) << name_of(cipher);
      ASSERT_EQ(opened, plaintext);
      ASSERT_EQ(in_place, plaintext);
    }
  }
}

TEST(Aead, RefusesEverySingleFlippedBit) {
  for (const DataCipher cipher : kAllCiphers) {
    const std::vector<std::uint8_t> key(key_size_of(cipher), 7);
    Aead sealer(Aead::Use::Seal, cipher, key);
    Aead opener(Aead::Use::Open, cipher, key);
    const AeadNonce nonce{1, 2, 3};
    const std::array<std::uint8_t, 8> associated{0x48};
    std::array<std::uint8_t, 20> ciphertext{};
    std::array<std::uint8_t, kAeadTagSize> tag{};
    sealer.seal(nonce, associated, ciphertext, ciphertext, tag);
    // The four inputs of open() in one row, so that one loop can flip each of their bits.
    std::vector<std::uint8_t> all(nonce.begin(), nonce.end());
    for (const Bytes part : {Bytes(associated), Bytes(ciphertext), Bytes(tag)})
      all.insert(all.end(), part.begin(), part.end());
    const auto opens = [&](const std::vector<std::uint8_t>& row) {
      std::array<std::uint8_t, 20> plaintext{};
      const Bytes bytes(row);
      return opener.open(nonce_of(bytes.first(12)), bytes.subspan(12, 8), bytes.subspan(20, 20),
                         bytes.subspan(40, kAeadTagSize), plaintext);
    };

    for (std::size_t bit = 0; bit < all.size() * 8; ++bit) {
      auto row = all;
      row[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      EXPECT_FALSE(opens(row)) << name_of(cipher) << " bit " << bit;
    }
    EXPECT_TRUE(opens(all)) << name_of(cipher);
  }
}

// A TLS session of the same thread would take a leftover for its own (SSL_get_error(3)).
TEST(Aead, LeavesNothingInTheErrorQueueWhenItRefuses) {
  for (const DataCipher cipher : kAllCiphers) {
    Aead opener(Aead::Use::Open, cipher, std::vector<std::uint8_t>(key_size_of(cipher)));
    std::array<std::uint8_t, 32> text{};

    EXPECT_FALSE(opener.open({}, {}, text, std::array<std::uint8_t, kAeadTagSize>{}, text));
    EXPECT_EQ(ERR_peek_error(), 0u) << name_of(cipher);
  }
}

}  // namespace
}  // namespace ringway
