#include "dataplane/channel/key_state.h"

#include <algorithm>
#include <limits>

namespace ringway {
namespace {

using ImplicitIv = std::array<std::uint8_t, DirectionKey::kImplicitIvSize>;

ImplicitIv implicit_iv_of(const DirectionKey& key) {
  ImplicitIv iv;
  std::ranges::copy(key.implicit_iv(), iv.begin());
  return iv;
}

// nonce = packet_id(4) || implicit_iv(8)
AeadNonce nonce_of(PacketId packet_id, const ImplicitIv& iv) {
  AeadNonce nonce;
  store_be32(nonce.data(), static_cast<std::uint32_t>(packet_id.value));
  std::ranges::copy(iv, nonce.begin() + 4);
  return nonce;
}

KeyLimits limits_for(DataCipher cipher, KeyLimits limits) {
  // No limit of confidentiality.
  if (cipher == DataCipher::ChaCha20Poly1305) {
    limits.worn_gcm_blocks = std::numeric_limits<std::uint64_t>::max();
  }
  return limits;
}

}  // namespace

KeyState::KeyState(const DataKeys& keys, const KeyLimits& limits, const AeadEngines& engines)
    : key_id_(keys.key_id),
      limits_(limits_for(keys.cipher, limits)),
      seal_iv_(implicit_iv_of(keys.seal)),
      open_iv_(implicit_iv_of(keys.open)),
      counter_(limits.last_packet_id) {
  if (keys.in_epochs) {
    epochs_ = std::make_unique<EpochKeys>(keys, limits, engines);
    return;
  }
  seal_key_.emplace(Aead::Use::Seal, keys.cipher, keys.seal.cipher_key(keys.cipher), engines);
  open_key_.emplace(Aead::Use::Open, keys.cipher, keys.open.cipher_key(keys.cipher), engines);
}

void KeyState::prepare() {
  if (epochs_) epochs_->prepare();
}

std::expected<PacketId, Drop> KeyState::take_packet_id() {
  if (epochs_) return epochs_->take_packet_id();
  const std::optional<PacketId> packet_id = counter_.next();
  if (!packet_id) return std::unexpected(Drop::KeyExhausted);
  return *packet_id;
}

// The engine is called in one place for both formats, so that it is inlined there.
void KeyState::seal(PacketId packet_id, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
                    MutableBytes tag) {
  const EpochKeys::Tool tool =
      epochs_ ? epochs_->sealer(packet_id)
              : EpochKeys::Tool{.aead = &*seal_key_, .nonce = nonce_of(packet_id, seal_iv_)};
  tool.aead->seal(tool.nonce, associated, plaintext, ciphertext, tag);
  if (epochs_) return epochs_->note_sealed(plaintext.size());
  sealed_blocks_ += gcm_blocks_of(plaintext.size());
}

std::expected<void, Drop> KeyState::open(PacketId packet_id, Bytes associated, Bytes ciphertext,
                                         Bytes tag, MutableBytes plaintext) {
  EpochKeys::Tool tool;
  if (epochs_) {
    const std::expected<EpochKeys::Tool, Drop> opener = epochs_->opener(packet_id);
    if (!opener) return std::unexpected(opener.error());
    tool = *opener;
  } else {
    if (failed_opens_ >= limits_.dead_failed_opens) return std::unexpected(Drop::KeyExhausted);
    tool = {.aead = &*open_key_, .nonce = nonce_of(packet_id, open_iv_)};
  }
  const bool is_authentic = tool.aead->open(tool.nonce, associated, ciphertext, tag, plaintext);
  if (epochs_) return epochs_->note_opened(packet_id, ciphertext.size(), is_authentic);
  if (!is_authentic) {
    ++failed_opens_;
    return std::unexpected(Drop::BadTag);
  }
  opened_blocks_ += gcm_blocks_of(ciphertext.size());
  // Only an authenticated id may touch the window (security goal A19).
  if (!replay_.accept(packet_id)) return std::unexpected(Drop::Replay);
  return {};
}

bool KeyState::is_worn() const {
  if (epochs_) return epochs_->is_worn();
  const std::uint64_t sealed = counter_.last_used().value;
  const std::uint64_t opened = replay_.highest().value;
  return std::max(sealed, opened) >= limits_.worn_packet_id ||
         sealed + opened >= limits_.worn_packets || failed_opens_ >= limits_.worn_failed_opens ||
         std::max(sealed_blocks_, opened_blocks_) > limits_.worn_gcm_blocks;
}

bool KeyState::take_wear_notice() {
  if (wear_noticed_ || !is_worn()) return false;
  wear_noticed_ = true;
  return true;
}

}  // namespace ringway
