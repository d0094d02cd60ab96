#pragma once

#include <array>
#include <memory>
#include <variant>

#include "base/bytes.h"
#include "base/secret.h"
#include "dataplane/channel/data_cipher.h"

struct evp_cipher_ctx_st;

namespace ringway {

using AeadNonce = std::array<std::uint8_t, kAeadNonceSize>;

/// One AEAD key, used in one direction: seals or opens packets, in place or into another buffer.
///
/// Pure; move-only; owned by one KeyState and used on its session's worker. Allocates when it is
/// made, never for a packet. AES-GCM runs on OpenSSL with a context prepared once, so that a packet
/// sets nothing but its nonce; ChaCha20-Poly1305 runs on libsodium. Which engine serves is the
/// alternative that `engine_` holds: a branch that predicts well, where a virtual call would not
/// inline.
class Aead {
 public:
  enum class Use : std::uint8_t { Seal, Open };

  /// `key` has key_size_of(cipher) bytes. It is copied; the caller keeps and wipes its own.
  Aead(Use use, DataCipher cipher, Bytes key);

  /// `ciphertext` is as long as `plaintext`, and either begins where it begins or does not overlap
  /// it; `tag` has kAeadTagSize bytes. `nonce` must never have sealed anything under this key.
  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag);

  /// False when the tag does not match (compared in constant time); `plaintext` then holds nothing
  /// of use. `plaintext` relates to `ciphertext` as in seal().
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext);

 private:
  struct ContextFree {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using OpensslGcm = std::unique_ptr<evp_cipher_ctx_st, ContextFree>;
  using SodiumChaCha = Secret<32>;

  static std::variant<OpensslGcm, SodiumChaCha> make_engine(Use use, DataCipher cipher, Bytes key);

  Use use_;
  std::variant<OpensslGcm, SodiumChaCha> engine_;
};

}  // namespace ringway
