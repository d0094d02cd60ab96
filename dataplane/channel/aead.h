#pragma once

#include <variant>

#include "base/bytes.h"
#include "dataplane/channel/aead_engines.h"
#include "dataplane/channel/aead_ipsec_mb.h"
#include "dataplane/channel/aead_openssl.h"
#include "dataplane/channel/aead_sodium.h"
#include "dataplane/channel/aead_types.h"

namespace ringway {

/// One AEAD key, used in one direction: seals or opens packets, in place or into another buffer.
///
/// Pure; move-only; owned by one KeyState and used on its session's worker. Allocates when it is
/// made, never for a packet. Which engine serves is the alternative that `engine_` holds: a branch
/// that predicts well, where a virtual call would not inline.
class Aead {
 public:
  using Use = AeadUse;

  /// `key` has key_size_of(cipher) bytes. It is copied; the caller keeps and wipes its own.
  /// `engines` outlives the Aead, unless it is the default, and belongs to the same thread.
  Aead(Use use, DataCipher cipher, Bytes key, const AeadEngines& engines = AeadEngines());

  /// `ciphertext` is as long as `plaintext`, and either begins where it begins or does not overlap
  /// it; `tag` has kAeadTagSize bytes. `nonce` must never have sealed anything under this key.
  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag);

  /// False when the tag does not match (compared in constant time); `plaintext` then holds nothing
  /// of use. `plaintext` relates to `ciphertext` as in seal().
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes ciphertext, Bytes tag,
                          MutableBytes plaintext);

 private:
  using Engine = std::variant<OpensslAead, SodiumChaCha, IpsecMbGcm, IpsecMbChaCha>;

  static Engine make_engine(Use use, DataCipher cipher, Bytes key, const AeadEngines& engines);

  Use use_;
  Engine engine_;
};

}  // namespace ringway
