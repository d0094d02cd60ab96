#pragma once

#include <array>
#include <expected>
#include <memory>

#include "base/drop.h"
#include "dataplane/channel/aead.h"
#include "dataplane/channel/data_keys.h"
#include "dataplane/channel/epoch_schedule.h"
#include "dataplane/channel/key_limits.h"
#include "dataplane/channel/packet_id.h"
#include "dataplane/channel/replay_window.h"

namespace ringway {

/// The keys of one negotiation in the epoch format (docs/WIRE.md 6.4): one after another, of which
/// each packet names its own.
///
/// Both directions go through their epochs by themselves. Sealing goes on to the next epoch when
/// the key has done its share (security goal A22), and follows the peer when that is ahead; opening
/// follows the peer's packets, once they are authentic. What opens is the current epoch, the one
/// before it, and kFutureMax to come, each with its own replay window.
///
/// Keys are made in prepare(), off the packet path, which wipes those that were left behind as
/// well: a peer that runs through more than kFutureMax epochs between two calls is not followed
/// (security goal A21). A packet changes pointers only.
///
/// Pure; neither copied nor moved; owned by one KeyState, used on its session's worker. Errors as
/// of KeyState, and Drop::UnknownKey for an epoch that does not open.
class EpochKeys {
 public:
  static constexpr unsigned kFutureMax = 4;
  /// The keys that there are at once: to open with, of the epoch before, of this one and of those
  /// to come; and to seal with, now and next.
  static constexpr std::size_t kKeysMax = (1 + 1 + kFutureMax) + 2;
  /// From here on it is time for a new negotiation.
  static constexpr std::uint16_t kWornEpoch = 0xf000;
  /// No keys are made for later ones.
  static constexpr std::uint16_t kLastEpoch = 0xffee;

  /// `engines` outlives it, unless it chooses nothing that must be kept: see KeyState. Has the
  /// first keys; the others come with the first prepare().
  EpochKeys(const DataKeys& keys, const KeyLimits& limits, const AeadEngines& engines);
  EpochKeys(const EpochKeys&) = delete;
  EpochKeys& operator=(const EpochKeys&) = delete;

  /// What seals or opens a packet. Good until the next call.
  struct Tool {
    Aead* aead;
    AeadNonce nonce;
  };

  /// As of KeyState; the id names the epoch.
  [[nodiscard]] std::expected<PacketId, Drop> take_packet_id();
  /// For the id that was taken last; then say how much was sealed.
  [[nodiscard]] Tool sealer(PacketId packet_id);
  void note_sealed(std::size_t size) { sealing_->blocks += gcm_blocks_of(size); }
  /// For an id that opener() has an answer for, say what came of it: the verdict on the packet.
  [[nodiscard]] std::expected<Tool, Drop> opener(PacketId packet_id);
  [[nodiscard]] std::expected<void, Drop> note_opened(PacketId packet_id, std::size_t size,
                                                      bool is_authentic);
  [[nodiscard]] PacketId newest_opened() const {
    return PacketId::of(open_epoch_, opening(open_epoch_)->replay.highest().value);
  }

  [[nodiscard]] bool is_worn() const;
  [[nodiscard]] bool is_exhausted() const;

  /// There is a key to make, or one to wipe.
  [[nodiscard]] bool needs_preparation() const;
  /// Makes at most kFutureMax keys to open with and one to seal with. Allocates.
  void prepare();

  // For tests and the log.
  [[nodiscard]] std::uint16_t seal_epoch() const { return sealing_->epoch; }
  [[nodiscard]] std::uint16_t open_epoch() const { return open_epoch_; }

 private:
  struct SealKey {
    std::uint16_t epoch;
    Aead aead;
    AeadNonce iv;
    std::uint64_t used = 0;
    std::uint64_t blocks = 0;
  };
  struct OpenKey {
    std::uint16_t epoch;
    Aead aead;
    AeadNonce iv;
    ReplayWindow replay{};
    std::uint64_t blocks = 0;
    std::uint64_t failed = 0;
  };
  /// More than the epochs that can open at once, or wait to be wiped.
  static constexpr std::size_t kPlaces = 16;
  static_assert(kPlaces > 2 * kFutureMax + 1);

  [[nodiscard]] Aead make_aead(AeadUse use, const EpochSchedule::Keys& keys) const;
  [[nodiscard]] std::unique_ptr<SealKey> make_seal_key() const;
  [[nodiscard]] std::unique_ptr<OpenKey> make_open_key() const;

  [[nodiscard]] OpenKey* opening(std::uint16_t epoch) const {
    return opening_[epoch % kPlaces].get();
  }
  [[nodiscard]] bool is_living(std::uint16_t epoch) const {
    return epoch >= open_epoch_ || epoch == older_epoch_;
  }
  void follow(std::uint16_t epoch);
  void go_on();
  [[nodiscard]] bool has_next() const { return spare_ && spare_->epoch > sealing_->epoch; }
  [[nodiscard]] bool may_stay() const;
  void judge_wear();
  [[nodiscard]] std::uint16_t wanted_spare() const;
  [[nodiscard]] std::uint16_t wanted_future() const;
  [[nodiscard]] std::uint64_t packet_count() const;

  DataCipher cipher_;
  KeyLimits limits_;
  AeadChoice choice_;
  /// Null where the choice needs nothing kept.
  const AeadEngines* engines_;
  /// Each at the last epoch that a key was made for.
  EpochSchedule seal_schedule_;
  EpochSchedule open_schedule_;
  std::unique_ptr<SealKey> sealing_;
  /// The next epoch's; or, after it has come into use, the one before, to be wiped.
  std::unique_ptr<SealKey> spare_;
  /// The epoch that seals has had its time, although there is use left in it: the peer is ahead, or
  /// what opens is worn and the peer will follow.
  bool shall_go_on_ = false;
  /// An epoch to come has seen too many forgeries to be waited for.
  bool future_is_worn_ = false;
  /// A place holds a key that opens nothing any more.
  bool has_left_behind_ = false;
  std::uint16_t open_epoch_ = EpochSchedule::kFirst;
  std::uint16_t older_epoch_ = 0;
  std::array<std::unique_ptr<OpenKey>, kPlaces> opening_;
  /// Of the epochs that are no more.
  std::uint64_t sealed_before_ = 0;
  std::uint64_t opened_before_ = 0;
};

}  // namespace ringway
