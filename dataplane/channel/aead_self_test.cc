#include "dataplane/channel/aead_self_test.h"

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/channel/aead.h"

namespace ringway {
namespace {

using Buffer = std::vector<std::uint8_t>;
using Tag = std::array<std::uint8_t, kAeadTagSize>;

/// "The Galois/Counter Mode of Operation" (McGrew, Viega) and RFC 8439 print longer ones; tests
/// compare with these. Here 16 zero bytes, or the RFC's own, show that the library is what it says.
struct KnownAnswer {
  DataCipher cipher;
  std::array<std::uint8_t, 16> ciphertext;
  Tag tag;
};

/// GCM test cases 2 and 14: everything is zero, and nothing is associated. ChaCha20-Poly1305 of the
/// same input, by RFC 8439: the first 16 bytes of keystream block 1.
constexpr KnownAnswer kZeroAnswers[] = {
    {DataCipher::Aes128Gcm,
     {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe,
      0x78},
     {0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd,
      0xdf}},
    {DataCipher::Aes256Gcm,
     {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d,
      0x18},
     {0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9,
      0x19}},
    {DataCipher::ChaCha20Poly1305,
     {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08,
      0x0d},
     {0xc3, 0x4a, 0x88, 0x04, 0x73, 0x20, 0xf5, 0x2a, 0xa2, 0xc6, 0x68, 0x3e, 0xf8, 0x08, 0x4d,
      0x2f}},
};

/// Bytes without a pattern that an engine could repeat; the same in every run.
class Noise {
 public:
  void fill(std::span<std::uint8_t> bytes) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(next() >> 24);
  }
  std::uint32_t next() { return state_ = state_ * 1'664'525 + 1'013'904'223; }

 private:
  std::uint32_t state_ = 8439;
};

bool seals_known_answer(DataCipher cipher, const AeadEngines& engines) {
  const Buffer key(key_size_of(cipher));
  Aead sealer(AeadUse::Seal, cipher, key, engines);
  for (const KnownAnswer& known : kZeroAnswers) {
    if (known.cipher != cipher) continue;
    std::array<std::uint8_t, 16> text{};
    Tag tag{};
    sealer.seal({}, {}, text, text, tag);
    return text == known.ciphertext && tag == known.tag;
  }
  return false;
}

/// One packet, as a table of what both engines have made of it.
struct Sealed {
  Buffer text;
  Tag tag{};
};

Sealed seal(Aead& aead, const AeadNonce& nonce, Bytes associated, Bytes plaintext) {
  Sealed sealed{.text = Buffer(plaintext.size())};
  aead.seal(nonce, associated, plaintext, sealed.text, sealed.tag);
  return sealed;
}

bool opens_only_what_was_sealed(Aead& opener, const AeadNonce& nonce, Bytes associated,
                                Sealed sealed, Bytes plaintext) {
  Buffer opened(sealed.text.size());
  if (!opener.open(nonce, associated, sealed.text, sealed.tag, opened)) return false;
  if (!std::ranges::equal(opened, plaintext)) return false;
  const std::size_t changed = (sealed.text.size() + 3) % kAeadTagSize;
  sealed.tag[changed] ^= 0x10;
  if (opener.open(nonce, associated, sealed.text, sealed.tag, opened)) return false;
  sealed.tag[changed] ^= 0x10;
  return opener.open(nonce, associated, sealed.text, sealed.tag, sealed.text) &&
         std::ranges::equal(sealed.text, plaintext);
}

}  // namespace

Result<void> test_aead(DataCipher cipher, const AeadEngines& engines) {
  const auto wrong = [&](const std::string& what) {
    return fail(std::string(name_of(engines.choice().of(cipher))) + " computes " +
                    std::string(name_of(cipher)) + " wrongly: " + what,
                {}, "report it with the processor's name; other engines serve");
  };
  if (!seals_known_answer(cipher, engines)) return wrong("not the known answer");

  Noise noise;
  Buffer key(key_size_of(cipher));
  noise.fill(key);
  Aead sealer(AeadUse::Seal, cipher, key, engines);
  Aead opener(AeadUse::Open, cipher, key, engines);
  Aead reference(AeadUse::Seal, cipher, key, AeadEngines(AeadChoice::all(AeadEngine::Openssl)));
  // Every size around the engines' unrolled loops once, then some of each magnitude.
  for (std::size_t size = 0; size <= 2048; size += size < 160 ? 1 : 1 + noise.next() % 128) {
    Buffer plaintext(size);
    AeadNonce nonce;
    std::array<std::uint8_t, 8> associated;
    noise.fill(plaintext);
    noise.fill(nonce);
    noise.fill(associated);
    const Sealed ours = seal(sealer, nonce, associated, plaintext);
    const Sealed theirs = seal(reference, nonce, associated, plaintext);
    if (ours.text != theirs.text || ours.tag != theirs.tag) {
      return wrong("not what OpenSSL does for " + std::to_string(size) + " bytes");
    }
    if (!opens_only_what_was_sealed(opener, nonce, associated, ours, plaintext)) {
      return wrong("it does not open " + std::to_string(size) + " bytes as it should");
    }
  }
  return {};
}

}  // namespace ringway
