#include "control/pki/pki_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/check.h"

namespace ringway {

Result<KeyKind> parse_key_kind(std::string_view name) {
  if (name == "p256") return KeyKind::P256;
  if (name == "ed25519") return KeyKind::Ed25519;
  if (name == "rsa") return KeyKind::Rsa;
  return fail("there is no kind of key \"" + std::string(name) + "\"", "--algorithm",
              "write p256, ed25519 or rsa");
}

openssl::KeyPtr make_key(KeyKind kind) {
  constexpr std::size_t kRsaBits = 3072;
  openssl::KeyPtr key;
  switch (kind) {
    case KeyKind::P256: key.reset(EVP_EC_gen("P-256")); break;
    case KeyKind::Ed25519: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); break;
    case KeyKind::Rsa: key.reset(EVP_RSA_gen(kRsaBits)); break;
  }
  RW_ASSERT(key != nullptr);
  return key;
}

std::string private_key_text(const EVP_PKEY* key, std::string_view passphrase) {
  const openssl::BioPtr out(BIO_new(BIO_s_secmem()));
  RW_ASSERT(out != nullptr);
  const EVP_CIPHER* cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
  RW_ASSERT(PEM_write_bio_PKCS8PrivateKey(out.get(), key, cipher, passphrase.data(),
                                          static_cast<int>(passphrase.size()), nullptr,
                                          nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  RW_ASSERT(size > 0);
  return {text, static_cast<std::size_t>(size)};
}

bool is_encrypted_key(std::string_view pem) {
  return pem.find("ENCRYPTED") != std::string_view::npos;
}

}  // namespace ringway
