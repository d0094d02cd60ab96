#pragma once

#include "base/bytes.h"
#include "base/secret.h"
#include "dataplane/channel/aead_types.h"

namespace ringway {

/// One ChaCha20-Poly1305 key on libsodium, which expands it anew for each packet.
///
/// Pure; move-only; the key is in the SecretArena. See Aead for what seal() and open() take.
class SodiumChaCha {
 public:
  explicit SodiumChaCha(Bytes key) : key_(key) {}

  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag) const;
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext) const;

 private:
  Secret<32> key_;
};

}  // namespace ringway
