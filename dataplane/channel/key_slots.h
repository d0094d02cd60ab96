#pragma once

#include <optional>

#include "dataplane/channel/key_state.h"

namespace ringway {

/// The keys of one session: the newest, and the one that it replaces until that expires.
///
/// Both open packets, because the peer changes over when it likes. Sealing stays with the older one
/// until the peer is known to have the newer: see sealing(). A negotiation can give one end its
/// keys and then fail before the other has its own; such keys open, but never take the place of the
/// ones in use. Where negotiations follow one another faster than that, the key that still seals
/// opens on for a while as a third. Only keys whose peer was authenticated are ever installed
/// (security goal A17).
///
/// Pure; owned by one Session, used on its worker. Allocates in install() only.
class KeySlots {
 public:
  explicit KeySlots(const KeyLimits& limits = {}) : limits_(limits) {}

  /// Makes `keys` the newest. The newest so far becomes the older, expires at
  /// keys.previous_expires_at. The older so far opens on for what the peer has sealed under it,
  /// until kLeavingGrace after the send_from of the newest so far, or until keys.send_from. But if
  /// the newest so far was neither confirmed nor promoted, its negotiation has failed: then it is
  /// the one to go. Keys with the id of one that is here take its place, because a packet could not
  /// name both. `engines` outlives the keys, unless it is the default.
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

  /// No packet has come under a newer key than this one.
  [[nodiscard]] bool is_latest_in_use(KeyId key_id) const {
    return !promoted_ || (newest_ && newest_->key_id() == key_id);
  }

  /// Wipes the older key when its time has come. find() and sealing() do not wait for it.
  void expire(Instant now);
  /// When expire() has something to do.
  [[nodiscard]] std::optional<Instant> expires_at() const;

  /// KeyState::prepare() of both.
  void prepare();
  [[nodiscard]] bool needs_preparation() const {
    return (newest_ && newest_->needs_preparation()) || (older_ && older_->needs_preparation());
  }

  /// A key that has become worn since the last call.
  [[nodiscard]] std::optional<KeyId> take_worn_key();

  [[nodiscard]] std::size_t count() const {
    return (newest_ ? 1u : 0u) + (older_ ? 1u : 0u) + (leaving_ ? 1u : 0u);
  }
  static constexpr std::size_t kCountMax = 3;
  /// For what is under way, and for a peer whose clock began later.
  static constexpr Duration kLeavingGrace = 5s;

 private:
  [[nodiscard]] KeyState* living_older(Instant now);
  /// The newest is the key in use, or as good as that.
  [[nodiscard]] bool newest_counts() const { return !older_ || confirmed_ || promoted_; }

  KeyLimits limits_;
  std::optional<KeyState> newest_;
  std::optional<KeyState> older_;
  std::optional<KeyState> leaving_;
  Instant send_from_;
  Instant older_expires_at_;
  Instant leaving_expires_at_;
  bool confirmed_ = false;
  bool promoted_ = false;
};

}  // namespace ringway
