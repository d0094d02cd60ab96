#pragma once

#include <expected>

#include "base/drop.h"
#include "base/secret.h"
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

  [[nodiscard]] std::expected<Unwrapped, Drop> unwrap(Bytes datagram, MutableBytes scratch) const;
  Bytes wrap(Bytes plain, ReplayStamp stamp, MutableBytes out) const;
  [[nodiscard]] static constexpr std::size_t overhead() { return 8 + 32; }

 private:
  /// 32 bytes of AES key, then 32 bytes of HMAC key.
  Secret<64> send_key_;
  Secret<64> receive_key_;
};

}  // namespace ringway
