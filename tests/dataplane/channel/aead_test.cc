#include "dataplane/channel/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/dataplane/channel/aead_support.h"
#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::aead_nonce_of;
using test::engine_cases;
using test::EngineCase;
using test::from_hex;
using test::SealedPacket;
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

TEST(Aead, SealsTheKnownAnswersWithEveryEngine) {
  for (const KnownAnswer& known : kKnownAnswers) {
    for (const EngineCase& one : engine_cases()) {
      if (one.cipher != known.cipher) continue;
      const AeadEngines engines = one.engines();
      Aead aead(Aead::Use::Seal, known.cipher, from_hex(known.key), engines);
      const auto plaintext = from_hex(known.plaintext);
      std::vector<std::uint8_t> ciphertext(plaintext.size());
      std::array<std::uint8_t, kAeadTagSize> tag{};

      aead.seal(aead_nonce_of(from_hex(known.nonce)), from_hex(known.associated), plaintext,
                ciphertext, tag);

      EXPECT_EQ(to_hex(ciphertext), known.ciphertext) << one.name() << known.source;
      EXPECT_EQ(to_hex(tag), known.tag) << one.name() << known.source;
    }
  }
}

TEST(Aead, OpensTheKnownAnswersWithEveryEngine) {
  for (const KnownAnswer& known : kKnownAnswers) {
    for (const EngineCase& one : engine_cases()) {
      if (one.cipher != known.cipher) continue;
      const AeadEngines engines = one.engines();
      Aead aead(Aead::Use::Open, known.cipher, from_hex(known.key), engines);
      const auto ciphertext = from_hex(known.ciphertext);
      std::vector<std::uint8_t> plaintext(ciphertext.size());

      EXPECT_TRUE(aead.open(aead_nonce_of(from_hex(known.nonce)), from_hex(known.associated),
                            ciphertext, from_hex(known.tag), plaintext))
          << one.name() << known.source;
      EXPECT_EQ(to_hex(plaintext), known.plaintext) << one.name() << known.source;
    }
  }
}

// The constants that OpenVPN asserts itself for its short packet-id format.
TEST(Aead, SealsAndOpensTheVectorOfOpenvpnsUnitTest) {
  const auto vector = test::load_vector("unit-test-aead-shortpid");
  const auto text = vector.text("plaintext");
  const auto packet = vector.bytes("packet");
  const AeadNonce nonce = aead_nonce_of(vector.bytes("nonce"));
  const Bytes tag = Bytes(packet).subspan(8, kAeadTagSize);
  const Bytes sealed = Bytes(packet).subspan(8 + kAeadTagSize);

  for (const EngineCase& one : engine_cases()) {
    if (one.cipher != DataCipher::Aes256Gcm) continue;
    const AeadEngines engines = one.engines();
    Aead sealer(Aead::Use::Seal, one.cipher, vector.bytes("key"), engines);
    std::vector<std::uint8_t> ciphertext(text.size());
    std::array<std::uint8_t, kAeadTagSize> own_tag{};
    sealer.seal(nonce, vector.bytes("aad"), bytes_of(text), ciphertext, own_tag);
    EXPECT_EQ(to_hex(ciphertext), to_hex(sealed)) << one.name();
    EXPECT_EQ(to_hex(own_tag), to_hex(tag)) << one.name();

    Aead opener(Aead::Use::Open, one.cipher, vector.bytes("key"), engines);
    std::vector<std::uint8_t> plaintext(sealed.size());
    ASSERT_TRUE(opener.open(nonce, vector.bytes("aad"), sealed, tag, plaintext)) << one.name();
    EXPECT_EQ(text_of(plaintext), text) << one.name();
  }
}

TEST(Aead, WorksInPlaceAndIntoAnotherBufferAlikeForEveryLength) {
  test::SeededRandom random(1);
  for (const EngineCase& one : engine_cases()) {
    std::vector<std::uint8_t> key(key_size_of(one.cipher));
    random.fill(key);
    const AeadEngines engines = one.engines();
    Aead sealer(Aead::Use::Seal, one.cipher, key, engines);
    Aead opener(Aead::Use::Open, one.cipher, key, engines);
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

      ASSERT_EQ(apart, in_place) << one.name() << size;
      ASSERT_EQ(tag_apart, tag_in_place) << one.name() << size;
      std::vector<std::uint8_t> opened(size);
      ASSERT_TRUE(opener.open(nonce, key, apart, tag_apart, opened)) << one.name() << size;
      ASSERT_TRUE(opener.open(nonce, key, in_place, tag_apart, in_place)) << one.name();
      ASSERT_EQ(opened, plaintext);
      ASSERT_EQ(in_place, plaintext);
    }
  }
}

TEST(Aead, RefusesEverySingleFlippedBitWhateverTheEngine) {
  for (const EngineCase& one : engine_cases()) {
    const std::vector<std::uint8_t> key(key_size_of(one.cipher), 7);
    const AeadEngines engines = one.engines();
    Aead sealer(Aead::Use::Seal, one.cipher, key, engines);
    Aead opener(Aead::Use::Open, one.cipher, key, engines);
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
      return opener.open(aead_nonce_of(bytes.first(12)), bytes.subspan(12, 8),
                         bytes.subspan(20, 20), bytes.subspan(40, kAeadTagSize), plaintext);
    };

    for (std::size_t bit = 0; bit < all.size() * 8; ++bit) {
      auto row = all;
      row[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      EXPECT_FALSE(opens(row)) << one.name() << " bit " << bit;
    }
    EXPECT_TRUE(opens(all)) << one.name();
  }
}

// Security goal A27: whichever engine serves at either end, the packet is the same.
TEST(Aead, ComputesTheSameWithEveryEngineForEverySizeAndAlignment) {
  const std::uint64_t seed = test::seed_or(2026);
  SCOPED_TRACE(testing::Message() << "RINGWAY_SEED=" << seed);
  test::SeededRandom random(seed);
  for (const DataCipher cipher : kDataCiphers) {
    std::vector<std::uint8_t> key(key_size_of(cipher));
    random.fill(key);
    Aead reference(Aead::Use::Seal, cipher, key, AeadEngines(AeadChoice::all(AeadEngine::Openssl)));
    for (const EngineCase& one : engine_cases()) {
      if (one.cipher != cipher) continue;
      const AeadEngines engines = one.engines();
      Aead sealer(Aead::Use::Seal, cipher, key, engines);
      Aead opener(Aead::Use::Open, cipher, key, engines);
      for (int i = 0; i < 300; ++i) {
        const std::size_t size = i % 3 == 0 ? random.next() % 9001 : random.next() % 2049;
        SealedPacket packet = SealedPacket::random(random, size);
        packet.associated.resize(random.next() % 25);
        packet.seal_with(reference);
        // Tag and text lie behind one another, as in a datagram, at any alignment.
        const std::size_t offset = random.next() % 64;
        std::vector<std::uint8_t> row(offset + kAeadTagSize + size);
        const MutableBytes tag = MutableBytes(row).subspan(offset, kAeadTagSize);
        const MutableBytes text = MutableBytes(row).subspan(offset + kAeadTagSize);
        std::ranges::copy(packet.plaintext, text.begin());

        sealer.seal(packet.nonce, packet.associated, text, text, tag);
        ASSERT_TRUE(std::ranges::equal(text, packet.ciphertext)) << one.name() << ' ' << size;
        ASSERT_TRUE(std::ranges::equal(tag, packet.tag)) << one.name() << ' ' << size;
        ASSERT_TRUE(opener.open(packet.nonce, packet.associated, text, tag, text)) << one.name();
        ASSERT_TRUE(std::ranges::equal(text, packet.plaintext)) << one.name() << ' ' << size;
      }
    }
  }
}

TEST(Aead, SealsAndOpensNothingAtAll) {
  for (const EngineCase& one : engine_cases()) {
    const std::vector<std::uint8_t> key(key_size_of(one.cipher), 3);
    const AeadEngines engines = one.engines();
    Aead sealer(Aead::Use::Seal, one.cipher, key, engines);
    Aead opener(Aead::Use::Open, one.cipher, key, engines);
    Aead reference(Aead::Use::Open, one.cipher, key);
    std::array<std::uint8_t, kAeadTagSize> tag{};

    sealer.seal({}, {}, {}, {}, tag);

    EXPECT_TRUE(opener.open({}, {}, {}, tag, {})) << one.name();
    EXPECT_TRUE(reference.open({}, {}, {}, tag, {})) << one.name();
    EXPECT_FALSE(opener.open({1}, {}, {}, tag, {})) << one.name();
  }
}

TEST(Aead, RefusesWhatWasCutOffWhateverTheEngine) {
  test::SeededRandom random(6);
  for (const EngineCase& one : engine_cases()) {
    const std::vector<std::uint8_t> key(key_size_of(one.cipher), 3);
    const AeadEngines engines = one.engines();
    Aead sealer(Aead::Use::Seal, one.cipher, key, engines);
    Aead opener(Aead::Use::Open, one.cipher, key, engines);
    SealedPacket packet = SealedPacket::random(random, 200);
    packet.seal_with(sealer);
    ASSERT_TRUE(packet.opens_with(opener));
    while (!packet.ciphertext.empty()) {
      packet.ciphertext.pop_back();
      packet.plaintext.pop_back();
      ASSERT_FALSE(packet.opens_with(opener)) << one.name() << packet.ciphertext.size();
    }
  }
}

}  // namespace
}  // namespace ringway
