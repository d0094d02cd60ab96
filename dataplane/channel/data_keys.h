#pragma once

#include "base/ids.h"
#include "base/secret.h"
#include "base/time.h"
#include "dataplane/channel/data_cipher.h"

namespace ringway {

/// The key of one direction: the cipher key and the implicit half of the nonce, or the first secret
/// of the epoch format. Moved, not copied.
struct DirectionKey {
  static constexpr std::size_t kImplicitIvSize = 8;

  /// 32 bytes of cipher key (AES-128 uses 16 of them), then the 8 bytes of implicit IV. In the
  /// epoch format these 32 bytes are E_1, whatever the cipher, and there is no IV.
  Secret<32 + kImplicitIvSize> material;

  [[nodiscard]] Bytes cipher_key(DataCipher cipher) const {
    return material.bytes().first(key_size_of(cipher));
  }
  [[nodiscard]] Bytes epoch_secret() const { return material.bytes().first(32); }
  [[nodiscard]] Bytes implicit_iv() const { return material.bytes().subspan(32, kImplicitIvSize); }
};

/// What one key negotiation hands to the data plane. Made on the control thread, moved once, inside
/// a WorkerCommand, to the worker that owns the session; wiped with its last owner.
struct DataKeys {
  KeyId key_id;
  DataCipher cipher = DataCipher::Aes256Gcm;
  /// Packets have the epoch format.
  bool in_epochs = false;
  DirectionKey seal;
  DirectionKey open;
  /// From when on this key is used to send, if its negotiation has succeeded, even if the peer has
  /// not used it yet. Until then the older key sends, unless there is none; an authentic packet
  /// under the new key ends the wait.
  Instant send_from;
  /// When the key that this one replaces stops opening packets (start of this negotiation +
  /// tran-window).
  Instant previous_expires_at;
};

}  // namespace ringway
