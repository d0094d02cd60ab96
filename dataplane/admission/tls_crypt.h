#pragma once

#include <expected>

#include "base/drop.h"
#include "base/secret.h"
#include "dataplane/admission/hmac_key.h"
#include "dataplane/admission/static_key.h"
#include "dataplane/admission/wrap_types.h"

namespace ringway {

/// Authenticated encryption of control packets, AES-256-CTR with HMAC-SHA256:
///
///     opcode 1 | sender 8 | replay id 4 | time 4 | tag 32 | ciphertext of the rest
///
/// The tag covers everything before it and the plaintext; its first 16 bytes are the counter block.
/// Pure; immutable after construction; owns copies of its keys.
class TlsCrypt {
 public:
  TlsCrypt(const StaticKey& key, Side side);

  /// See TlsWrap; the buffers must not overlap. Error: BadWrap, whatever is wrong.
  [[nodiscard]] std::expected<Unwrapped, Drop> unwrap(Bytes datagram, MutableBytes scratch) const;
  Bytes wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const;
  [[nodiscard]] static constexpr std::size_t overhead() { return kStampSize + kTagSize; }

 private:
  /// Opcode and sender.
  static constexpr std::size_t kHeadSize = 9;
  static constexpr std::size_t kStampSize = 8;
  static constexpr std::size_t kTagSize = 32;

  /// One half of the static key.
  struct Keys {
    Secret<32> cipher;
    HmacKey hmac;
  };
  static Keys keys_of(const StaticKey& key, unsigned index);

  Keys send_;
  Keys receive_;
};

}  // namespace ringway
