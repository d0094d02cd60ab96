#pragma once

#include <optional>

#include "dataplane/channel/key_state.h"

namespace ringway {

/// The keys of one session: the newest, and the one that it replaces until that expires.
///
/// Both open packets, because the peer changes over when it likes. Sealing stays with the older one
/// until the peer is known, or old enough, to have the newer: see sealing(). Only keys that were
/// negotiated to the end are ever installed, so whatever find() returns is authenticated (security
/// goal A17).
///
/// Pure; owned by one Session, used on its worker. Allocates in install() only.
class KeySlots {
 public:
  explicit KeySlots(const KeyLimits& limits = {}) : limits_(limits) {}

  /// Makes `keys` the newest; the newest so far becomes the older and expires at
  /// keys.previous_expires_at; the older so far is gone. Keys with the id of the newest take its
  /// place, because a packet could not name both.
  void install(const DataKeys& keys);

  /// The key that opens a packet which names `key_id`; null when there is none, or no more.
  [[nodiscard]] KeyState* find(KeyId key_id, Instant now);

  /// The key to seal under: the older one until the newer one's send_from has come, or an authentic
  /// packet or promote() has shown that the peer has it. Null when there is no key.
  [[nodiscard]] KeyState* sealing(Instant now);

  /// An authentic packet came under this key, or the control channel says that the peer has it.
  void promote(KeyId key_id);

  /// Wipes the older key when its time has come. find() and sealing() do not wait for it.
  void expire(Instant now);
  /// When expire() has something to do.
  [[nodiscard]] std::optional<Instant> expires_at() const;

  /// A key that has become worn since the last call.
  [[nodiscard]] std::optional<KeyId> take_worn_key();

  [[nodiscard]] std::size_t count() const { return (newest_ ? 1u : 0u) + (older_ ? 1u : 0u); }

 private:
  [[nodiscard]] KeyState* living_older(Instant now);

  KeyLimits limits_;
  std::optional<KeyState> newest_;
  std::optional<KeyState> older_;
  Instant send_from_;
  Instant older_expires_at_;
  bool promoted_ = false;
};

}  // namespace ringway
