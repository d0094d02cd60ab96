#include "dataplane/channel/epoch_keys.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {
namespace {

/// nonce = iv XOR (epoch | counter | 0000)
AeadNonce nonce_of(PacketId packet_id, const AeadNonce& iv) {
  AeadNonce nonce = iv;
  store_be64(nonce.data(), load_be64(iv.data()) ^ packet_id.value);
  return nonce;
}

KeyLimits limits_for(DataCipher cipher, KeyLimits limits) {
  if (cipher != DataCipher::ChaCha20Poly1305) return limits;
  // No limit of confidentiality.
  limits.worn_gcm_blocks = limits.epoch_gcm_blocks = std::numeric_limits<std::uint64_t>::max();
  return limits;
}

}  // namespace

EpochKeys::EpochKeys(const DataKeys& keys, const KeyLimits& limits, const AeadEngines& engines)
    : cipher_(keys.cipher),
      limits_(limits_for(keys.cipher, limits)),
      choice_(engines.choice()),
      engines_(choice_.uses(AeadEngine::IpsecMb) ? &engines : nullptr),
      seal_schedule_(keys.seal.epoch_secret()),
      open_schedule_(keys.open.epoch_secret()),
      sealing_(make_seal_key()) {
  opening_[open_epoch_ % kPlaces] = make_open_key();
}

Aead EpochKeys::make_aead(AeadUse use, const EpochSchedule::Keys& keys) const {
  const Bytes key = keys.key.bytes().first(key_size_of(cipher_));
  if (engines_ != nullptr) return Aead(use, cipher_, key, *engines_);
  return Aead(use, cipher_, key, AeadEngines(choice_));
}

std::unique_ptr<EpochKeys::SealKey> EpochKeys::make_seal_key() const {
  const EpochSchedule::Keys keys = seal_schedule_.derive(cipher_);
  return std::make_unique<SealKey>(SealKey{
      .epoch = seal_schedule_.epoch(), .aead = make_aead(AeadUse::Seal, keys), .iv = keys.iv});
}

std::unique_ptr<EpochKeys::OpenKey> EpochKeys::make_open_key() const {
  const EpochSchedule::Keys keys = open_schedule_.derive(cipher_);
  return std::make_unique<OpenKey>(OpenKey{
      .epoch = open_schedule_.epoch(), .aead = make_aead(AeadUse::Open, keys), .iv = keys.iv});
}

/// Nothing here asks for a key that prepare() has not made: the key in use serves on, and only the
/// end of its counter is final.
std::expected<PacketId, Drop> EpochKeys::take_packet_id() {
  if (!may_stay() && has_next()) go_on();
  SealKey& key = *sealing_;
  if (key.used >= limits_.last_epoch_counter) return std::unexpected(Drop::KeyExhausted);
  return PacketId::of(key.epoch, ++key.used);
}

bool EpochKeys::may_stay() const {
  return !shall_go_on_ && sealing_->blocks <= limits_.epoch_gcm_blocks &&
         sealing_->used < limits_.last_epoch_counter;
}

void EpochKeys::go_on() {
  sealed_before_ += sealing_->used;
  std::swap(sealing_, spare_);
  shall_go_on_ = sealing_->epoch < open_epoch_;
}

EpochKeys::Tool EpochKeys::sealer(PacketId packet_id) {
  RW_ASSERT(packet_id.epoch() == sealing_->epoch);
  return {.aead = &sealing_->aead, .nonce = nonce_of(packet_id, sealing_->iv)};
}

std::expected<EpochKeys::Tool, Drop> EpochKeys::opener(PacketId packet_id) {
  const std::uint16_t epoch = packet_id.epoch();
  OpenKey* const key = opening(epoch);
  if (key == nullptr || key->epoch != epoch || !is_living(epoch)) {
    return std::unexpected(Drop::UnknownKey);
  }
  if (key->failed >= limits_.dead_failed_opens) return std::unexpected(Drop::KeyExhausted);
  return Tool{.aead = &key->aead, .nonce = nonce_of(packet_id, key->iv)};
}

std::expected<void, Drop> EpochKeys::note_opened(PacketId packet_id, std::size_t size,
                                                 bool is_authentic) {
  const std::uint16_t epoch = packet_id.epoch();
  OpenKey& key = *opening(epoch);
  if (!is_authentic) {
    ++key.failed;
    return std::unexpected(Drop::BadTag);
  }
  key.blocks += gcm_blocks_of(size);
  // Only an authenticated id may touch the window (security goal A19).
  if (!key.replay.accept({packet_id.counter()})) return std::unexpected(Drop::Replay);
  if (epoch > open_epoch_) follow(epoch);
  return {};
}

/// The peer has gone on; what it sent before may still be under way.
void EpochKeys::follow(std::uint16_t epoch) {
  opened_before_ += opening(open_epoch_)->replay.highest().value;
  older_epoch_ = open_epoch_;
  open_epoch_ = epoch;
  has_left_behind_ = true;
  if (sealing_->epoch < open_epoch_) shall_go_on_ = true;
}

bool EpochKeys::is_worn() const {
  return std::max(sealing_->epoch, open_epoch_) >= kWornEpoch || future_is_worn_ ||
         packet_count() >= limits_.worn_packets;
}

bool EpochKeys::is_exhausted() const {
  return sealing_->used >= limits_.last_epoch_counter && !has_next();
}

std::uint64_t EpochKeys::packet_count() const {
  return sealed_before_ + sealing_->used + opened_before_ + newest_opened().counter();
}

std::uint16_t EpochKeys::wanted_spare() const {
  return std::min(std::max(static_cast<std::uint16_t>(sealing_->epoch + 1), open_epoch_),
                  kLastEpoch);
}

std::uint16_t EpochKeys::wanted_future() const {
  return std::min(static_cast<std::uint16_t>(open_epoch_ + kFutureMax), kLastEpoch);
}

bool EpochKeys::needs_preparation() const {
  const std::uint16_t spare = wanted_spare();
  const bool wants_spare = spare > sealing_->epoch && (!spare_ || spare_->epoch < spare);
  const bool has_spent = spare_ && spare_->epoch < sealing_->epoch;
  return wants_spare || has_spent || has_left_behind_ || open_schedule_.epoch() < wanted_future();
}

void EpochKeys::prepare() {
  for (std::unique_ptr<OpenKey>& key : opening_) {
    if (key && !is_living(key->epoch)) key.reset();
  }
  has_left_behind_ = false;
  while (open_schedule_.epoch() < wanted_future()) {
    open_schedule_.advance();
    opening_[open_schedule_.epoch() % kPlaces] = make_open_key();
  }
  judge_wear();

  const std::uint16_t wanted = wanted_spare();
  if (spare_ && (spare_->epoch < sealing_->epoch || spare_->epoch < wanted)) spare_.reset();
  if (spare_ || wanted <= sealing_->epoch) return;
  while (seal_schedule_.epoch() < wanted) seal_schedule_.advance();
  spare_ = make_seal_key();
}

/// A peer follows our epoch, so that going on replaces what it seals under, too (docs/WIRE.md 6.4).
void EpochKeys::judge_wear() {
  for (const std::unique_ptr<OpenKey>& key : opening_) {
    if (!key || key->epoch < open_epoch_) continue;
    const bool is_forged = key->failed >= limits_.worn_failed_opens;
    if (key->epoch > open_epoch_) {
      future_is_worn_ |= is_forged;
    } else if (sealing_->epoch == open_epoch_) {
      shall_go_on_ |= is_forged || key->blocks > limits_.worn_gcm_blocks;
    }
  }
}

}  // namespace ringway
