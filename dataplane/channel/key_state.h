#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "base/drop.h"
#include "dataplane/channel/aead.h"
#include "dataplane/channel/data_keys.h"
#include "dataplane/channel/epoch_keys.h"
#include "dataplane/channel/key_limits.h"
#include "dataplane/channel/packet_id.h"
#include "dataplane/channel/replay_window.h"

namespace ringway {

/// The keys of one negotiation at work: a seal key with its counter, an open key with its replay
/// window, and what both have been through; or, in the epoch format, its EpochKeys, to which every
/// function then leads.
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
  /// Null in the short format.
  [[nodiscard]] EpochKeys* epochs() { return epochs_.get(); }

  /// Takes the id of the next packet to seal: give it to seal() exactly once.
  [[nodiscard]] std::expected<PacketId, Drop> take_packet_id();
  void seal(PacketId packet_id, Bytes associated, Bytes plaintext, MutableBytes ciphertext,
            MutableBytes tag);
  [[nodiscard]] std::expected<void, Drop> open(PacketId packet_id, Bytes associated,
                                               Bytes ciphertext, Bytes tag, MutableBytes plaintext);

  /// The highest packet id that was opened.
  [[nodiscard]] PacketId newest_opened() const {
    return epochs_ ? epochs_->newest_opened() : replay_.highest();
  }

  /// Makes the keys of epochs to come, and wipes those of epochs gone. Never for a packet.
  void prepare();
  [[nodiscard]] bool needs_preparation() const { return epochs_ && epochs_->needs_preparation(); }

  /// A limit is near: time to renegotiate.
  [[nodiscard]] bool is_worn() const;
  /// Nothing can be sealed any more.
  [[nodiscard]] bool is_exhausted() const {
    return epochs_ ? epochs_->is_exhausted() : counter_.exhausted();
  }
  /// True the first time it is asked after the key has become worn.
  [[nodiscard]] bool take_wear_notice();

 private:
  using ImplicitIv = std::array<std::uint8_t, DirectionKey::kImplicitIvSize>;

  KeyId key_id_;
  bool wear_noticed_ = false;
  KeyLimits limits_;
  ImplicitIv seal_iv_;
  ImplicitIv open_iv_;
  PacketIdCounter counter_;
  std::uint64_t sealed_blocks_ = 0;
  std::uint64_t opened_blocks_ = 0;
  std::uint64_t failed_opens_ = 0;
  // Nothing in the epoch format.
  std::optional<Aead> seal_key_;
  std::optional<Aead> open_key_;
  ReplayWindow replay_;
  std::unique_ptr<EpochKeys> epochs_;
};

}  // namespace ringway
