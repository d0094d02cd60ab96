#include "dataplane/channel/aead_sodium.h"

#include <sodium.h>

namespace ringway {
namespace {

static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == 32);
static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == kAeadNonceSize);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == kAeadTagSize);

/// libsodium's parameters may not be null, and an empty span's pointer may be.
const std::uint8_t* not_null(Bytes bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

}  // namespace

void SodiumChaCha::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext,
                        MutableBytes ciphertext, MutableBytes tag) const {
  std::uint8_t nothing = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(
      ciphertext.empty() ? &nothing : ciphertext.data(), tag.data(), nullptr, not_null(plaintext),
      plaintext.size(), not_null(associated), associated.size(), nullptr, nonce.data(),
      key_.bytes().data());
}

bool SodiumChaCha::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                        MutableBytes plaintext) const {
  std::uint8_t nothing = 0;
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
             plaintext.empty() ? &nothing : plaintext.data(), nullptr, not_null(ciphertext),
             ciphertext.size(), tag.data(), not_null(associated), associated.size(), nonce.data(),
             key_.bytes().data()) == 0;
}

}  // namespace ringway
