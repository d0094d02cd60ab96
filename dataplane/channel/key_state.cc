#include "dataplane/channel/key_state.h"

#include <algorithm>

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
  store_be32(nonce.data(), packet_id.value);
  std::ranges::copy(iv, nonce.begin() + 4);
  return nonce;
}

std::uint64_t blocks_of(std::size_t size) { return (size + 15) / 16 + 1; }

}  // namespace

KeyState::KeyState(const DataKeys& keys, const KeyLimits& limits, const AeadEngines& engines)
    : key_id_(keys.key_id),
      counts_blocks_(keys.cipher != DataCipher::ChaCha20Poly1305),
      limits_(limits),
      seal_iv_(implicit_iv_of(keys.seal)),
      open_iv_(implicit_iv_of(keys.open)),
      counter_(limits.last_packet_id),
      seal_key_(Aead::Use::Seal, keys.cipher, keys.seal.cipher_key(keys.cipher), engines),
      open_key_(Aead::Use::Open, keys.cipher, keys.open.cipher_key(keys.cipher), engines) {}

std::expected<PacketId, Drop> KeyState::take_packet_id() {
  const std::optional<PacketId> packet_id = counter_.next();
  if (!packet_id) return std::unexpected(Drop::KeyExhausted);
  return *packet_id;
}

void KeyState::seal(PacketId packet_id, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
                    MutableBytes tag) {
  seal_key_.seal(nonce_of(packet_id, seal_iv_), associated, plaintext, ciphertext, tag);
  sealed_blocks_ += blocks_of(plaintext.size());
}

std::expected<void, Drop> KeyState::open(PacketId packet_id, Bytes associated, Bytes ciphertext,
                                         Bytes tag, MutableBytes plaintext) {
  if (failed_opens_ >= limits_.dead_failed_opens) return std::unexpected(Drop::KeyExhausted);
  if (!open_key_.open(nonce_of(packet_id, open_iv_), associated, ciphertext, tag, plaintext)) {
    ++failed_opens_;
    return std::unexpected(Drop::BadTag);
  }
  opened_blocks_ += blocks_of(ciphertext.size());
  // Only an authenticated id may touch the window (security goal A19).
  if (!replay_.accept(packet_id)) return std::unexpected(Drop::Replay);
  return {};
}

bool KeyState::is_worn() const {
  if (std::max(counter_.last_used(), replay_.highest()).value >= limits_.worn_packet_id)
    return true;
  if (failed_opens_ >= limits_.worn_failed_opens) return true;
  return counts_blocks_ && std::max(sealed_blocks_, opened_blocks_) > limits_.worn_gcm_blocks;
}

bool KeyState::take_wear_notice() {
  if (wear_noticed_ || !is_worn()) return false;
  wear_noticed_ = true;
  return true;
}

}  // namespace ringway
