#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "control/channel/openssl_handles.h"

/// Private keys: made, and as text. For the .cc files of control/pki. Keys come of OpenSSL's own
/// generator.
namespace ringway {

enum class KeyKind : std::uint8_t {
  P256,
  Ed25519,
  Rsa,  ///< of 3072 bits, which is as strong as the others
};

/// "p256", "ed25519" or "rsa".
Result<KeyKind> parse_key_kind(std::string_view name);
openssl::KeyPtr make_key(KeyKind kind);
/// PKCS #8 in PEM; with a passphrase encrypted by AES-256. Secret: the caller wipes it.
std::string private_key_text(const EVP_PKEY* key, std::string_view passphrase);
/// Whether `pem` is a private key that wants a passphrase.
bool is_encrypted_key(std::string_view pem);

}  // namespace ringway
