#include "dataplane/channel/aead_openssl.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace ringway {
namespace {

int openssl_size(Bytes bytes) { return static_cast<int>(bytes.size()); }

const EVP_CIPHER* kind_of(DataCipher cipher) {
  switch (cipher) {
    case DataCipher::Aes128Gcm: return EVP_aes_128_gcm();
    case DataCipher::Aes256Gcm: return EVP_aes_256_gcm();
    case DataCipher::ChaCha20Poly1305: return EVP_chacha20_poly1305();
  }
  return nullptr;
}

}  // namespace

void OpensslAead::ContextFree::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);  // Wipes the expanded key, too.
}

OpensslAead::OpensslAead(AeadUse use, DataCipher cipher, Bytes key)
    : context_(EVP_CIPHER_CTX_new()) {
  RW_ASSERT(context_ != nullptr);
  RW_ASSERT(EVP_CipherInit_ex(context_.get(), kind_of(cipher), nullptr, key.data(), nullptr,
                              use == AeadUse::Seal ? 1 : 0) == 1);
}

// OpenSSL refuses a null pointer for empty output, which an empty span may have.
void OpensslAead::seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext,
                       MutableBytes ciphertext, MutableBytes tag) {
  EVP_CIPHER_CTX* const context = context_.get();
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

bool OpensslAead::open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                       MutableBytes plaintext) {
  // The control call takes a mutable pointer for both directions, so the tag goes by copy.
  std::array<std::uint8_t, kAeadTagSize> expected;
  std::copy(tag.begin(), tag.end(), expected.begin());

  EVP_CIPHER_CTX* const context = context_.get();
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

}  // namespace ringway
