#include "dataplane/channel/key_slots.h"

#include <algorithm>
#include <utility>

namespace ringway {

void KeySlots::install(const DataKeys& keys, const AeadEngines& engines) {
  if (newest_ && newest_->key_id() != keys.key_id && newest_counts()) {
    // Reset first, so that the evicted key is wiped here and not kept by a moved-from slot.
    leaving_.reset();
    if (older_) {
      leaving_ = std::move(older_);
      // Where the peer has left it, late packets are under way at most.
      leaving_expires_at_ =
          std::min(older_expires_at_, promoted_ ? keys.send_from : send_from_ + kLeavingGrace);
    }
    older_.reset();
    older_ = std::move(newest_);
    older_expires_at_ = keys.previous_expires_at;
  }
  for (std::optional<KeyState>* const old : {&older_, &leaving_}) {
    if (*old && (*old)->key_id() == keys.key_id) old->reset();
  }
  newest_.reset();
  newest_.emplace(keys, limits_, engines);
  send_from_ = keys.send_from;
  confirmed_ = false;
  promoted_ = false;
}

KeyState* KeySlots::find(KeyId key_id, Instant now) {
  if (newest_ && newest_->key_id() == key_id) return &*newest_;
  KeyState* const older = living_older(now);
  if (older != nullptr && older->key_id() == key_id) return older;
  const bool is_leaving = leaving_ && now < leaving_expires_at_ && leaving_->key_id() == key_id;
  return is_leaving ? &*leaving_ : nullptr;
}

KeyState* KeySlots::sealing(Instant now) {
  if (!newest_) return nullptr;
  if (promoted_ || (confirmed_ && now >= send_from_)) return &*newest_;
  KeyState* const older = living_older(now);
  // A used-up key can only drop, so the newer one is worth the risk that the peer is late.
  return older != nullptr && !older->is_exhausted() ? older : &*newest_;
}

void KeySlots::confirm(KeyId key_id) {
  if (newest_ && newest_->key_id() == key_id) confirmed_ = true;
}

void KeySlots::promote(KeyId key_id) {
  if (newest_ && newest_->key_id() == key_id) promoted_ = true;
}

void KeySlots::expire(Instant now) {
  if (older_ && now >= older_expires_at_) older_.reset();
  if (leaving_ && now >= leaving_expires_at_) leaving_.reset();
}

std::optional<Instant> KeySlots::expires_at() const {
  if (leaving_)
    return older_ ? std::min(older_expires_at_, leaving_expires_at_) : leaving_expires_at_;
  if (!older_) return std::nullopt;
  return older_expires_at_;
}

void KeySlots::prepare() {
  if (newest_) newest_->prepare();
  if (older_) older_->prepare();
  // What leaves goes to no other epoch.
}

std::optional<KeyId> KeySlots::take_worn_key() {
  // The newest counts alone: a worn older key has been replaced already.
  if (!newest_ || !newest_->take_wear_notice()) return std::nullopt;
  return newest_->key_id();
}

KeyState* KeySlots::living_older(Instant now) {
  return older_ && now < older_expires_at_ ? &*older_ : nullptr;
}

}  // namespace ringway
