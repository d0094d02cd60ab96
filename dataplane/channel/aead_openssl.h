#pragma once

#include <memory>

#include "base/bytes.h"
#include "dataplane/channel/aead_types.h"

struct evp_cipher_ctx_st;

namespace ringway {

/// One AEAD key on OpenSSL: a context prepared once, so that a packet sets nothing but its nonce.
///
/// Pure; move-only. Allocates when it is made, never for a packet. OpenSSL keeps the expanded key
/// in memory of its own and wipes it with the context. See Aead for what seal() and open() take.
class OpensslAead {
 public:
  OpensslAead(AeadUse use, DataCipher cipher, Bytes key);

  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag);
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext);

 private:
  struct ContextFree {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, ContextFree> context_;
};

}  // namespace ringway
