#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.h"

namespace ringway {

/// How large a packet the path to one peer carries: RFC 8899 (DPLPMTUD) for a packetization layer
/// whose probes are messages of the data channel.
///
/// Sizes are bytes of whole outer packets, IP header included, all of them sent with DF. A size is
/// *proven* when a probe of it was answered, and only a probe that stays unanswered, or our own
/// kernel that refuses to send it, takes that back; what ICMP says merely starts such a probe.
/// While nothing is proven a size is *assumed*, low enough for DS-Lite and PPPoE, and ICMP may
/// lower it: of a peer that answers no probe nothing better is known.
///
/// One probe is out at a time, and a lost one says nothing about congestion (RFC 8899 3). Pure
/// value; owned by a Session.
class PathMtu {
 public:
  /// RFC 8899 5.2 has the states of the same name, but for Silent, its Error.
  enum class Phase : std::uint8_t {
    Disabled,  ///< the size is what it is
    Waiting,   ///< until the peer is known to listen
    Base,      ///< whether anything is answered
    Search,    ///< how much gets through
    Complete,  ///< until the path may have become wider, or is in doubt
    Confirm,   ///< whether what is proven still gets through
    Doubt,     ///< it does not: whether less does, or the peer is away
    Silent,    ///< no probe was answered: the size is assumed
  };
  struct Limits {
    /// What every path carries (RFC 8200 5; RFC 791 3.2), and more than which nobody has a use for.
    std::uint16_t floor = 0;
    std::uint16_t ceiling = 0;
  };
  struct Counts {
    std::uint64_t probes = 0;
    std::uint64_t answers = 0;
    /// Times that a proven size had stopped to get through.
    std::uint64_t black_holes = 0;
    /// ICMP messages and refusals of the kernel that were looked at.
    std::uint64_t hints = 0;

    void add(const Counts& other) {
      probes += other.probes;
      answers += other.answers;
      black_holes += other.black_holes;
      hints += other.hints;
    }
  };

  static constexpr std::uint16_t kFloorV4 = 576;
  static constexpr std::uint16_t kFloorV6 = 1280;
  /// DS-Lite over PPPoE leaves IPv4 1,452 bytes, tunnels of IPv6 leave 1,420 to 1,480.
  static constexpr std::uint16_t kAssumed = 1400;
  static constexpr std::uint16_t kEthernet = 1500;
  /// How often a size is tried before it counts as lost (MAX_PROBES); what is proven already more
  /// often, because to be wrong about it costs more.
  static constexpr unsigned kAttempts = 3;
  static constexpr unsigned kConfirmAttempts = 5;
  /// PROBE_TIMER, by the round trip where it is known.
  static constexpr Duration kTimeoutMin = 1s;
  static constexpr Duration kTimeoutMax = 3s;
  /// A peer that has said nothing yet is probed all the same after so long.
  static constexpr Duration kStartDelay = 2s;
  /// CONFIRMATION_TIMER, while large packets are sent.
  static constexpr Duration kConfirmInterval = 10s;
  /// PMTU_RAISE_TIMER.
  static constexpr Duration kRaiseInterval = 600s;
  static constexpr Duration kSilentInterval = 300s;
  /// Hints about a proven size start a probe this often at most.
  static constexpr Duration kHintInterval = 5s;

  /// Never probes, and has this size for good.
  static PathMtu fixed(std::uint16_t size);
  /// Probes from start() on, or kStartDelay after `now`.
  PathMtu(const Limits& limits, Instant now);

  /// The path is another one, to a peer that listens: everything is found out anew. The counts go
  /// on.
  void restart(const Limits& limits, Instant now);
  /// The peer listens. Does nothing the second time.
  void start(Instant now);
  /// Tries again what nobody answered, without waiting. Does nothing but in Silent.
  void retry(Instant now);
  /// `in_use`: packets were sent since the last call that not every path carries.
  void handle_timeout(Instant now, bool in_use);
  [[nodiscard]] Instant deadline() const;

  /// The size of the packet with the probe that is to be sent now, once.
  [[nodiscard]] std::optional<std::uint16_t> take_probe(Instant now);
  [[nodiscard]] bool has_probe() const { return probe_is_due_; }
  /// The peer says, authentically, that it got a packet of this size or a larger one.
  void note_answer(std::size_t received, Instant now);
  /// Our own kernel does not send packets of this size to the peer (EMSGSIZE).
  void note_refused(std::size_t size, Instant now);
  /// Somebody, or somebody who pretends to be on the path, says that it carries no more than `mtu`.
  void note_hint(std::size_t mtu, Instant now);

  /// The largest packet that is to be sent.
  [[nodiscard]] std::uint16_t size() const { return proven_ != 0 ? proven_ : assumed_; }
  [[nodiscard]] bool is_proven() const { return proven_ != 0; }
  /// The search has ended: no more than size() gets through.
  [[nodiscard]] bool is_measured() const { return proven_ != 0 && is_measured_; }
  [[nodiscard]] Phase phase() const { return phase_; }
  /// Since they were taken last.
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] Counts take_counts() { return std::exchange(counts_, {}); }

 private:
  PathMtu() = default;

  void forget();
  void begin_base(Instant now);
  void search(Instant now);
  [[nodiscard]] std::uint16_t next_candidate();
  void complete(Instant now);
  void confirm(Instant now, unsigned attempts);
  void probe(std::uint16_t size);
  void note_lost(Instant now);
  [[nodiscard]] std::uint16_t fallback(unsigned attempt) const;
  void note_arrived(Instant now);

  Phase phase_ = Phase::Disabled;
  Limits limits_;
  std::uint16_t proven_ = 0;
  std::uint16_t assumed_ = 0;
  /// The smallest size that is known not to get through, or 1 above the ceiling.
  std::uint16_t failed_ = 0;
  /// Tried next, when it lies between what is proven and what has failed.
  std::uint16_t hinted_ = 0;
  /// Ethernet's size was tried before smaller ones.
  bool was_optimistic_ = false;
  bool is_measured_ = false;

  /// The probe that is to be sent or that is out; 0: none.
  std::uint16_t probe_ = 0;
  bool probe_is_due_ = false;
  unsigned attempt_ = 0;
  unsigned attempts_max_ = 0;
  Instant sent_at_;
  Duration timeout_ = kTimeoutMin;

  /// When something is to be done while no probe is out.
  Instant next_at_;
  Instant raise_at_;
  Instant hint_at_;
  Counts counts_;
};

}  // namespace ringway
