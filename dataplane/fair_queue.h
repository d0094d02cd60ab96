#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/drop.h"
#include "base/ids.h"
#include "base/time.h"

namespace ringway {

/// The frames that wait until a socket takes more: packets and super-packets of up to 64 KiB, each
/// in a buffer that the caller knows by its slot.
///
/// Peers take turns by deficit round robin in bytes, and a peer that was quiet goes first, as in
/// fq_codel (RFC 8290 4.1): its small packet waits for one frame of a bulk transfer at most, and
/// not for the queue. Each outlet (a socket) has rounds of its own, for one may be full while
/// another is not. A peer's frames leave in the order in which they came.
///
/// An outlet may also serve many connections, one a peer, of which each is full for itself: then
/// the peer whose turn it is can be set aside, and the others go on.
///
/// Nothing is dropped on its own: shed() is called when a socket is full, and names one frame
/// beyond the bounds after the other. Too many frames or bytes: the oldest of the peer that has the
/// most bytes here. Too old: the oldest of all. So what a greedy peer sends, and what comes for a
/// peer behind a slow link, is not paid for by others.
///
/// Pure; allocates in its constructor only; times are those of push() and shed(). Used by one
/// worker.
class FairQueue {
 public:
  struct Settings {
    /// Slots are 0..frames_max-1, each at most once in the queue.
    std::size_t frames_max = 0;
    std::size_t outlet_count = 1;
    /// What shed() leaves.
    std::size_t kept_frames_max = 0;
    std::size_t kept_bytes_max = 0;
    Duration sojourn_max{};
  };
  /// What a peer may send before it is another's turn: a super-packet, or a train of packets.
  static constexpr std::int64_t kQuantum = 65'536;

  struct Frame {
    std::uint32_t slot = 0;
    std::uint32_t size = 0;
    PeerId peer;
    std::uint8_t outlet = 0;
    Instant since;
  };
  struct Shed {
    Frame frame;
    Drop reason = Drop::QueueOverflow;
  };

  explicit FairQueue(const Settings& settings);

  /// How long after the last change from one peer to another a queue counts as contended.
  static constexpr Duration kContention = 50ms;

  /// `frame.since` never goes back. Asserts that the slot is not in the queue.
  void push(const Frame& frame);
  /// The next frame for the outlet; null when there is none. The same until pop() or push().
  [[nodiscard]] const Frame* front(std::uint8_t outlet);
  /// Takes front() out.
  void pop(std::uint8_t outlet);
  /// The peer of front() can take nothing now: it misses its turns, until resume().
  void set_aside(std::uint8_t outlet);
  /// All that were set aside have turns again, after the others.
  void resume(std::uint8_t outlet);
  /// Somebody was set aside since the last resume().
  [[nodiscard]] bool has_set_aside(std::uint8_t outlet) const {
    return rounds_.at(outlet).aside.first != kNone;
  }
  /// Takes out a frame that is beyond the bounds; nothing when there is none.
  [[nodiscard]] std::optional<Shed> shed(Instant now);

  /// More than one peer has been sending of late: who reads ahead lets the queue be fair to them.
  [[nodiscard]] bool is_contended(Instant now) const { return now < contended_until_; }
  [[nodiscard]] bool is_empty() const { return frame_count_ == 0; }
  [[nodiscard]] std::size_t frame_count() const { return frame_count_; }
  [[nodiscard]] std::size_t byte_count() const { return byte_count_; }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  /// A frame in two lists: of its peer, and of all by age. By slot.
  struct Place {
    Frame frame;
    std::uint32_t flow = kNone;
    std::uint32_t next = kNone;
    std::uint32_t older = kNone;
    std::uint32_t younger = kNone;
  };
  /// A peer at an outlet. One without frames is remembered until its turn comes round, so that who
  /// sends again and again is not taken for quiet.
  struct Flow {
    PeerId peer;
    std::uint8_t outlet = 0;
    bool is_used = false;
    bool is_fresh = false;
    std::int64_t deficit = 0;
    std::size_t byte_count = 0;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    /// In its round, and among the flows of its bucket.
    std::uint32_t next = kNone;
    std::uint32_t next_in_bucket = kNone;
  };
  /// Flows in the order of their turns.
  struct Line {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };
  struct Rounds {
    Line fresh;
    Line known;
    Line aside;
  };

  std::uint32_t flow_of(const Frame& frame);
  std::uint32_t new_flow(const Frame& frame, std::size_t bucket);
  void forget_idle();
  void forget(std::uint32_t flow);
  void append(Line& line, std::uint32_t flow);
  std::uint32_t take_first(Line& line);
  Frame take_oldest_of(std::uint32_t flow);
  [[nodiscard]] std::uint32_t longest() const;
  [[nodiscard]] std::size_t bucket_of(PeerId peer) const;

  Settings settings_;
  std::vector<Place> places_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> unused_;
  std::vector<std::uint32_t> buckets_;
  std::vector<Rounds> rounds_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t youngest_ = kNone;
  std::size_t frame_count_ = 0;
  std::size_t byte_count_ = 0;
  PeerId last_peer_;
  Instant contended_until_;
};

}  // namespace ringway
