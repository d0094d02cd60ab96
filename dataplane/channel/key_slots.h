#pragma once

#include <optional>

#include "dataplane/channel/key_state.h"

namespace ringway {

/// The keys of one session: the newest, and the one that it replaces until that expires.
///
/// Both open packets, because the peer changes over when it likes. Sealing stays with the older one
/// until the peer is known to have the newer: see sealing(). A negotiation can give one end its
/// keys and then fail before the other has its own; such keys open, but never take the place of the
/// ones in use. Only keys whose peer was authenticated are ever installed (security goal A17).
///
/// Pure; owned by one Session, used on its worker. Allocates in install() only.
class KeySlots {
 public:
  explicit KeySlots(const KeyLimits& limits = {}) : limits_(limits) {}

  /// Makes `keys` the newest. The newest so far becomes the older, expires at
  /// keys.previous_expires_at, and the older so far is gone. But if the newest so far was neither
  /// confirmed nor promoted, its negotiation has failed: then it is the one to go. Keys with the id
  /// of one that is here take its place, because a packet could not name both.
  /// `engines` outlives the keys, unless it is the default.
  void install(const DataKeys& keys, const AeadEngines& engines = AeadEngines());

  /// The key that opens a packet which names `key_id`; null when there is none, or no more.
  [[nodiscard]] KeyState* find(KeyId key_id, Instant now);

  /// The key to seal under: the older one until the newer is promoted, or is confirmed and its
  /// send_from has come. Null when there is no key.
  [[nodiscard]] KeyState* sealing(Instant now);

  /// The control channel says that this negotiation has succeeded.
  void confirm(KeyId key_id);
  /// An authentic packet came under this key: the peer uses it.
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
  /// The newest is the key in use, or as good as that.
  [[nodiscard]] bool newest_counts() const { return !older_ || confirmed_ || promoted_; }

  KeyLimits limits_;
  std::optional<KeyState> newest_;
  std::optional<KeyState> older_;
  Instant send_from_;
  Instant older_expires_at_;
  bool confirmed_ = false;
  bool promoted_ = false;
};

}  // namespace ringway
