#include "dataplane/channel/aead.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>

#include "base/check.h"

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

int openssl_size(Bytes bytes) { return static_cast<int>(bytes.size()); }

// OpenSSL refuses a null pointer for empty output, which an empty span may have.
void openssl_seal(EVP_CIPHER_CTX* context, const AeadNonce& nonce, Bytes associated,
                  Bytes plaintext, MutableBytes ciphertext, MutableBytes tag) {
  int written = 0;
  bool good = EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) == 1;
  good &= EVP_EncryptUpdate(context, nullptr, &written, associated.data(),
                            openssl_size(associated)) == 1;
  if (!plaintext.empty()) {
    good &= EVP_EncryptUpdate(context, ciphertext.data(), &written, plaintext.data(),
                              openssl_size(plaintext)) == 1;
  }
  good &= EVP_EncryptFinal_ex(context, tag.data(), &written) == 1;
  good &= EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag.data()) == 1;
  // Sealing with a prepared key has no input that could be refused.
  RW_ASSERT(good);
}

bool openssl_open(EVP_CIPHER_CTX* context, const AeadNonce& nonce, Bytes associated,
                  Bytes ciphertext, Bytes tag, MutableBytes plaintext) {
  // The control call takes a mutable pointer for both directions, so the tag goes by copy.
  std::array<std::uint8_t, kAeadTagSize> expected;
  std::copy(tag.begin(), tag.end(), expected.begin());

  int written = 0;
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) != 1) return false;
  if (EVP_DecryptUpdate(context, nullptr, &written, associated.data(), openssl_size(associated)) !=
      1)
    return false;
  if (!ciphertext.empty() && EVP_DecryptUpdate(context, plaintext.data(), &written,
                                               ciphertext.data(), openssl_size(ciphertext)) != 1)
    return false;
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, expected.data()) != 1)
    return false;
  return EVP_DecryptFinal_ex(context, expected.data(), &written) == 1;
}

}  // namespace

void Aead::ContextFree::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);  // Wipes the expanded key, too.
}

Aead::Aead(Use use, DataCipher cipher, Bytes key)
    : use_(use), engine_(make_engine(use, cipher, key)) {}

std::variant<Aead::OpensslGcm, Aead::SodiumChaCha> Aead::make_engine(Use use, DataCipher cipher,
                                                                     Bytes key) {
  RW_ASSERT(key.size() == key_size_of(cipher));
  if (cipher == DataCipher::ChaCha20Poly1305) return SodiumChaCha(key);

  const EVP_CIPHER* const kind =
      cipher == DataCipher::Aes128Gcm ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
  OpensslGcm context(EVP_CIPHER_CTX_new());
  RW_ASSERT(context != nullptr);
  RW_ASSERT(EVP_CipherInit_ex(context.get(), kind, nullptr, key.data(), nullptr,
                              use == Use::Seal ? 1 : 0) == 1);
  return context;
}

void Aead::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
                MutableBytes tag) {
  RW_ASSERT(use_ == Use::Seal);
  RW_ASSERT(ciphertext.size() == plaintext.size());
  RW_ASSERT(tag.size() == kAeadTagSize);
  if (auto* const gcm = std::get_if<OpensslGcm>(&engine_)) {
    return openssl_seal(gcm->get(), nonce, associated, plaintext, ciphertext, tag);
  }
  const auto* const key = std::get_if<SodiumChaCha>(&engine_);
  RW_ASSERT(key != nullptr);
  std::uint8_t nothing = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(
      ciphertext.empty() ? &nothing : ciphertext.data(), tag.data(), nullptr, not_null(plaintext),
      plaintext.size(), not_null(associated), associated.size(), nullptr, nonce.data(),
      key->bytes().data());
}

bool Aead::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                MutableBytes plaintext) {
  RW_ASSERT(use_ == Use::Open);
  RW_ASSERT(plaintext.size() == ciphertext.size());
  RW_ASSERT(tag.size() == kAeadTagSize);
  if (auto* const gcm = std::get_if<OpensslGcm>(&engine_)) {
    return openssl_open(gcm->get(), nonce, associated, ciphertext, tag, plaintext);
  }
  const auto* const key = std::get_if<SodiumChaCha>(&engine_);
  RW_ASSERT(key != nullptr);
  std::uint8_t nothing = 0;
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
             plaintext.empty() ? &nothing : plaintext.data(), nullptr, not_null(ciphertext),
             ciphertext.size(), tag.data(), not_null(associated), associated.size(), nonce.data(),
             key->bytes().data()) == 0;
}

}  // namespace ringway
