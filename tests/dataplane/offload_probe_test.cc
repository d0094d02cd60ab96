#include "dataplane/offload_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <deque>

namespace ringway {
namespace {

constexpr Instant kDeadline{1s};

/// A kernel in memory that does everything right, but for what a test tells it.
class FaultyWire : public ProbeWire {
 public:
  bool without_gso = false;
  bool without_gro = false;
  bool carries_nothing = false;
  bool carries_no_trains = false;
  int train_error = 0;
  std::size_t segments_max = 128;
  bool swaps_datagrams = false;
  bool flips_a_bit = false;
  bool cuts_the_last = false;
  bool gro_forgets_the_size = false;
  bool gro_gives_a_wrong_size = false;
  bool gro_truncates = false;

  int send(Bytes bytes, std::size_t segment_size) override {
    const std::size_t size = segment_size == 0 ? bytes.size() : segment_size;
    const std::size_t count = (bytes.size() + size - 1) / size;
    if (segment_size != 0 && train_error != 0) return train_error;
    if (count > segments_max) return EINVAL;
    if (carries_nothing || (segment_size != 0 && carries_no_trains)) return 0;
    const std::size_t before = queue_.size();
    if (gro_ && count > 1) {
      queue_.push_back({.bytes = {bytes.begin(), bytes.end()},
                        .segment_size = gro_forgets_the_size ? 0 : size,
                        .truncated = gro_truncates});
      if (gro_gives_a_wrong_size) ++queue_.back().segment_size;
    } else {
      for (Bytes left = bytes; !left.empty(); left = left.subspan(std::min(size, left.size()))) {
        const Bytes datagram = left.first(std::min(size, left.size()));
        queue_.push_back({.bytes = {datagram.begin(), datagram.end()}});
      }
    }
    if (count > 1) spoil(before);
    return 0;
  }

  std::optional<ProbePiece> receive(Instant) override {
    if (queue_.empty()) return std::nullopt;
    ProbePiece piece = std::move(queue_.front());
    queue_.pop_front();
    return piece;
  }
  int set_gro(bool on) override {
    gro_ = on;
    return without_gro && on ? ENOPROTOOPT : 0;
  }
  bool knows_gso() override { return !without_gso; }

 private:
  void spoil(std::size_t first) {
    if (swaps_datagrams && queue_.size() > first + 1) {
      std::swap(queue_[first].bytes, queue_[first + 1].bytes);
    }
    if (flips_a_bit) queue_.back().bytes.back() ^= 1;
    if (cuts_the_last) queue_.back().bytes.pop_back();
  }

  std::deque<ProbePiece> queue_;
  bool gro_ = false;
};

TEST(OffloadProbe, ProvesBothOnAKernelThatDoesEverythingRight) {
  FaultyWire wire;

  const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

  EXPECT_EQ(proof.gso, Proof::Works);
  EXPECT_EQ(proof.gro, Proof::Works);
  EXPECT_EQ(proof.segments_max, 128);
  EXPECT_EQ(proof.reason, "");
}

TEST(OffloadProbe, FindsTheSmallerLimitOfOldKernels) {
  FaultyWire wire;
  wire.segments_max = 64;

  const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

  EXPECT_EQ(proof.gso, Proof::Works);
  EXPECT_EQ(proof.gro, Proof::Works);
  EXPECT_EQ(proof.segments_max, 64);
}

TEST(OffloadProbe, ProvesTrainsOutwardsWhereTheKernelHasNoneInwards) {
  FaultyWire wire;
  wire.without_gro = true;

  const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

  EXPECT_EQ(proof.gso, Proof::Works);
  EXPECT_EQ(proof.gro, Proof::Fails);
  EXPECT_NE(proof.reason.find("refuses UDP_GRO"), std::string::npos);
}

TEST(OffloadProbe, FailsWhatTheKernelDoesNotHave) {
  FaultyWire wire;
  wire.without_gso = true;
  wire.without_gro = true;

  const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

  EXPECT_EQ(proof.gso, Proof::Fails);
  EXPECT_EQ(proof.gro, Proof::Fails);
}

TEST(OffloadProbe, FailsTrainsThatTheKernelRefuses) {
  for (const int error : {EINVAL, EIO, EMSGSIZE, EOPNOTSUPP}) {
    FaultyWire wire;
    wire.train_error = error;

    EXPECT_EQ(prove_link_offloads(wire, kDeadline).gso, Proof::Fails) << error;
  }
}

TEST(OffloadProbe, FailsTrainsThatComeOutSpoilt) {
  for (bool FaultyWire::* fault :
       {&FaultyWire::swaps_datagrams, &FaultyWire::flips_a_bit, &FaultyWire::cuts_the_last}) {
    FaultyWire wire;
    wire.*fault = true;

    const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

    // A last datagram that is too short leaves the burst incomplete: it cannot be told from loss.
    EXPECT_NE(proof.gso, Proof::Works);
    EXPECT_NE(proof.reason, "");
  }
}

TEST(OffloadProbe, FailsOnlyReceivedTrainsWhenThoseAloneAreWrong) {
  for (bool FaultyWire::* fault :
       {&FaultyWire::gro_forgets_the_size, &FaultyWire::gro_gives_a_wrong_size,
        &FaultyWire::gro_truncates}) {
    FaultyWire wire;
    wire.*fault = true;

    const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

    EXPECT_EQ(proof.gso, Proof::Works);
    EXPECT_EQ(proof.gro, Proof::Fails);
    EXPECT_EQ(proof.reason, "UDP_GRO: a train came out otherwise than it went in");
  }
}

TEST(OffloadProbe, DecidesNothingWhereLoopbackCarriesNothing) {
  FaultyWire wire;
  wire.carries_nothing = true;

  const LinkOffloadProof proof = prove_link_offloads(wire, kDeadline);

  EXPECT_EQ(proof.gso, Proof::Unproven);
  EXPECT_EQ(proof.gro, Proof::Unproven);
  EXPECT_EQ(proof.segments_max, 64);
  EXPECT_EQ(proof.reason, "loopback carries nothing");
}

TEST(OffloadProbe, DecidesNothingWhereAFilterEatsTrains) {
  FaultyWire wire;
  wire.carries_no_trains = true;
  EXPECT_EQ(prove_link_offloads(wire, kDeadline).gso, Proof::Unproven);

  FaultyWire forbidden;
  forbidden.train_error = EPERM;
  EXPECT_EQ(prove_link_offloads(forbidden, kDeadline).gso, Proof::Unproven);
}

TEST(OffloadProbe, TakesTheWorseOfBothFamilies) {
  const LinkOffloadProof good{.gso = Proof::Works, .gro = Proof::Works, .segments_max = 128};
  const LinkOffloadProof bad{
      .gso = Proof::Fails, .gro = Proof::Unproven, .segments_max = 64, .reason = "why"};

  const LinkOffloadProof worse = worse_of(good, bad);

  EXPECT_EQ(worse.gso, Proof::Fails);
  EXPECT_EQ(worse.gro, Proof::Unproven);
  EXPECT_EQ(worse.segments_max, 64);
  EXPECT_EQ(worse.reason, "why");
}

TEST(BurstCheck, WantsEveryByteInOrderAndEveryCutInItsPlace) {
  const ProbeBurst burst(2, 100, 1);
  const Bytes bytes = burst.bytes();
  ASSERT_EQ(bytes.size(), 267u);
  const auto piece = [&](std::size_t at, std::size_t size, std::size_t segment) {
    const Bytes part = bytes.subspan(at, size);
    return ProbePiece{.bytes = {part.begin(), part.end()}, .segment_size = segment};
  };

  BurstCheck singles(burst);
  EXPECT_TRUE(singles.take(piece(0, 100, 0)) && singles.take(piece(100, 100, 0)));
  EXPECT_FALSE(singles.is_complete());
  EXPECT_TRUE(singles.take(piece(200, 67, 0)));
  EXPECT_TRUE(singles.is_complete());
  EXPECT_FALSE(singles.take(piece(200, 67, 0))) << "one too many";

  EXPECT_TRUE(BurstCheck(burst).take(piece(0, 267, 100)));
  EXPECT_TRUE(BurstCheck(burst).take(piece(0, 200, 100)));
  EXPECT_FALSE(BurstCheck(burst).take(piece(0, 267, 0))) << "a train without a size";
  EXPECT_FALSE(BurstCheck(burst).take(piece(0, 50, 0))) << "half a datagram";
  EXPECT_FALSE(BurstCheck(burst).take(piece(0, 150, 100))) << "one and a half";
  EXPECT_FALSE(BurstCheck(burst).take(piece(100, 100, 0))) << "the second first";
  EXPECT_FALSE(BurstCheck(burst).take({})) << "an empty datagram";
}

}  // namespace
}  // namespace ringway
