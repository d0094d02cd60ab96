#pragma once

#include <expected>

#include "base/drop.h"
#include "dataplane/channel/aead.h"
#include "dataplane/channel/data_keys.h"
#include "dataplane/channel/packet_id.h"
#include "dataplane/channel/replay_window.h"

namespace ringway {

/// When a key is worn and when it is dead (security goals A20 and A22). Tests bring their own, as
/// nobody waits for 2^36 packets.
struct KeyLimits {
  /// Worn from this packet id on, in either direction: half of the ids are left for the
  /// renegotiation to succeed in.
  std::uint32_t worn_packet_id = std::uint32_t{1} << 31;
  std::uint32_t last_packet_id = PacketIdCounter::kLast;
  /// Worn when so many 16-byte blocks, with one more for each packet, went through AES-GCM in
  /// either direction: seven eighths of the 2^36 of OpenVPN's confidentiality limit.
  std::uint64_t worn_gcm_blocks = ((std::uint64_t{1} << 36) - 1) / 8 * 7;
  /// Forgery attempts: worn at the first, and nothing more is opened from the second on.
  std::uint64_t worn_failed_opens = std::uint64_t{1} << 35;
  std::uint64_t dead_failed_opens = std::uint64_t{1} << 36;
};

/// The keys of one negotiation at work: a seal key with its counter, an open key with its replay
/// window, and what both have been through.
///
/// Pure; move-only; owned by one KeySlots, used on its session's worker. Errors: Drop::KeyExhausted
/// when a limit has ended the key, Drop::BadTag, Drop::Replay. A failed open changes nothing but
/// the count of failures.
class KeyState {
 public:
  /// `engines` outlives it, unless it is the default.
  explicit KeyState(const DataKeys& keys, const KeyLimits& limits = {},
                    const AeadEngines& engines = AeadEngines());

  [[nodiscard]] KeyId key_id() const { return key_id_; }

  /// Takes the id of the next packet to seal: give it to seal() exactly once.
  [[nodiscard]] std::expected<PacketId, Drop> take_packet_id();
  void seal(PacketId packet_id, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag);
  [[nodiscard]] std::expected<void, Drop> open(PacketId packet_id, Bytes associated,
                                               Bytes ciphertext, Bytes tag, MutableBytes plaintext);

  /// A limit is near: time to renegotiate.
  [[nodiscard]] bool is_worn() const;
  /// Nothing can be sealed any more.
  [[nodiscard]] bool is_exhausted() const { return counter_.exhausted(); }
  /// True the first time it is asked after the key has become worn.
  [[nodiscard]] bool take_wear_notice();

 private:
  using ImplicitIv = std::array<std::uint8_t, DirectionKey::kImplicitIvSize>;

  KeyId key_id_;
  bool counts_blocks_;
  bool wear_noticed_ = false;
  KeyLimits limits_;
  ImplicitIv seal_iv_;
  ImplicitIv open_iv_;
  PacketIdCounter counter_;
  std::uint64_t sealed_blocks_ = 0;
  std::uint64_t opened_blocks_ = 0;
  std::uint64_t failed_opens_ = 0;
  Aead seal_key_;
  Aead open_key_;
  ReplayWindow replay_;
};

}  // namespace ringway
