#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "dataplane/channel/aead_types.h"

namespace ringway {

/// OVPN-Expand-Label (docs/WIRE.md 6.4): HKDF-Expand of RFC 5869 with SHA-256, and with the label
/// of TLS 1.3 (RFC 8446 7.1), whose prefix is "ovpn " here:
///
///     info = [size 16] [size of the label 8] ["ovpn " label] [0]
///
/// Pure. `secret` has 32 bytes; `out` at most 32, so that one block of HKDF is all of it.
void expand_label(Bytes secret, std::string_view label, MutableBytes out);

/// The secrets of one direction of the epoch format, one after another:
///
///     E_1     the first 32 bytes of the direction's cipher key, whatever the cipher
///     E_n+1   Expand(E_n, "datakey upd", 32)
///     key     Expand(E_n, "data_key", size of the cipher's key)
///     iv      Expand(E_n, "data_iv", 12)
///
/// There is no way back: who has E_n knows nothing of the epochs before. Pure; move-only; the
/// secret is in the SecretArena, and each wipes the one before it. Never on the packet path.
class EpochSchedule {
 public:
  static constexpr std::size_t kSecretSize = 32;
  /// Epoch 0 is never on the wire.
  static constexpr std::uint16_t kFirst = 1;

  struct Keys {
    /// AES-128 uses the first 16 bytes.
    Secret<32> key;
    AeadNonce iv{};
  };

  explicit EpochSchedule(Bytes first_secret) : secret_(first_secret) {}

  [[nodiscard]] std::uint16_t epoch() const { return epoch_; }
  /// To the next epoch. Asserts that there is one.
  void advance();
  [[nodiscard]] Keys derive(DataCipher cipher) const;

 private:
  std::uint16_t epoch_ = kFirst;
  Secret<kSecretSize> secret_;
};

}  // namespace ringway
