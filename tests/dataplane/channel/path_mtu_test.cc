#include "dataplane/channel/path_mtu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ringway {
namespace {

using Phase = PathMtu::Phase;

constexpr Instant kStart{1000s};
constexpr Duration kRoundTrip = 20ms;
constexpr PathMtu::Limits kV4{.floor = PathMtu::kFloorV4, .ceiling = 1552};
constexpr PathMtu::Limits kV6{.floor = PathMtu::kFloorV6, .ceiling = 1572};

/// A peer behind a path of one width, in virtual time. What is too large disappears without a word.
class Path {
 public:
  explicit Path(std::uint16_t carries, const PathMtu::Limits& limits = kV4)
      : width(carries), mtu(limits, kStart) {
    mtu.start(now);
  }

  /// Until nothing is out for a while, or so long.
  void settle(Duration limit = 60s) {
    const Instant end = now + limit;
    while (now < end && mtu.phase() != Phase::Complete && mtu.phase() != Phase::Silent) step(end);
  }
  void pass(Duration time, bool in_use = false) {
    const Instant end = now + time;
    while (now < end) step(end, in_use);
  }

  std::uint16_t width;
  /// The peer answers.
  bool answers = true;
  /// How many of the next probes are lost whatever their size.
  unsigned losses = 0;
  /// What our own kernel sends.
  std::uint16_t device = 65'535;
  std::vector<std::uint16_t> probes;
  Instant now = kStart;
  PathMtu mtu;

 private:
  void step(Instant end, bool in_use = false) {
    if (const auto size = mtu.take_probe(now)) {
      probes.push_back(*size);
      if (*size > device) return mtu.note_refused(*size, now);
      if (losses > 0) {
        --losses;
      } else if (answers && *size <= width) {
        now = now + kRoundTrip;
        return mtu.note_answer(*size, now);
      }
    }
    now = std::clamp(mtu.deadline(), now + 1ms, end);
    mtu.handle_timeout(now, in_use);
  }
};

TEST(PathMtu, IsWhatIsAssumedUntilSomethingIsAnswered) {
  PathMtu mtu(kV4, kStart);

  EXPECT_EQ(mtu.phase(), Phase::Waiting);
  EXPECT_EQ(mtu.size(), 1400);
  EXPECT_FALSE(mtu.is_proven());
  EXPECT_FALSE(mtu.take_probe(kStart));
  mtu.handle_timeout(kStart + PathMtu::kStartDelay, false);
  EXPECT_EQ(mtu.take_probe(kStart), 1400);
}

TEST(PathMtu, FindsEthernetInTwoRoundTripsAndWhatTheDeviceRefusesInNone) {
  Path path(1500);
  path.device = 1500;
  path.pass(2 * kRoundTrip);

  EXPECT_EQ(path.mtu.size(), 1500);
  EXPECT_TRUE(path.mtu.is_proven());
  path.settle();
  EXPECT_EQ(path.probes, (std::vector<std::uint16_t>{1400, 1500, 1552}));
  EXPECT_TRUE(path.mtu.is_measured());
  EXPECT_EQ(path.now - kStart, 2 * kRoundTrip);
}

/// The widths of lines that exist, and some that do not.
TEST(PathMtu, FindsEveryWidthToWithinAFewBytes) {
  for (const auto& limits : {kV4, kV6}) {
    for (std::uint16_t width = 1280; width <= 1580; ++width) {
      Path path(width, limits);
      path.settle();

      const std::uint16_t most = std::min(width, limits.ceiling);
      EXPECT_LE(path.mtu.size(), most);
      // Between Ethernet and what fills the tunnel's MTU nothing is looked for.
      EXPECT_GE(path.mtu.size() + (width > 1500 ? 72 : 8), most);
      EXPECT_TRUE(path.mtu.is_measured()) << width;
      EXPECT_LT(path.probes.size(), 24u) << width;
    }
  }
  for (const int width : {1492, 1480, 1472, 1460, 1452, 1400, 1280}) {
    Path path(static_cast<std::uint16_t>(width));
    path.settle();
    EXPECT_EQ(path.mtu.size(), width);
  }
}

TEST(PathMtu, FindsWhatIsBelowTheMinimumOfIpv6OverIpv4) {
  Path path(620);
  path.settle();

  EXPECT_LE(path.mtu.size(), 620);
  EXPECT_GT(path.mtu.size(), 611);
  EXPECT_TRUE(path.mtu.is_measured());
}

TEST(PathMtu, FindsAJumboPathForAJumboTunnel) {
  Path path(8000, {.floor = PathMtu::kFloorV4, .ceiling = 9052});
  path.settle();

  EXPECT_LE(path.mtu.size(), 8000);
  EXPECT_GE(path.mtu.size(), 7500);
}

TEST(PathMtu, IsNarrowedByNoSingleLoss) {
  for (unsigned losses = 1; losses < PathMtu::kAttempts; ++losses) {
    Path path(1500);
    path.losses = losses;
    path.settle();
    EXPECT_EQ(path.mtu.size(), 1500) << losses;
  }
}

TEST(PathMtu, StaysAssumedWhereNothingIsAnswered) {
  Path path(1500);
  path.answers = false;
  path.settle();

  EXPECT_EQ(path.mtu.phase(), Phase::Silent);
  EXPECT_EQ(path.mtu.size(), 1400);
  EXPECT_FALSE(path.mtu.is_measured());
  EXPECT_EQ(path.probes, (std::vector<std::uint16_t>{1400, 1280, 1280, 576}));

  path.answers = true;
  path.pass(PathMtu::kSilentInterval + 1s);
  EXPECT_EQ(path.mtu.size(), 1500);
}

TEST(PathMtu, LetsAHintLowerWhatIsOnlyAssumedAndForAWhile) {
  Path path(1300);
  path.answers = false;
  path.settle();

  path.mtu.note_hint(1280, path.now);
  EXPECT_EQ(path.mtu.size(), 1280);
  path.mtu.note_hint(1, path.now);
  EXPECT_EQ(path.mtu.size(), PathMtu::kFloorV4);

  path.pass(PathMtu::kSilentInterval);
  EXPECT_EQ(path.mtu.size(), 1400);
}

TEST(PathMtu, IsNotLoweredByHintsBelowWhatIsProven_C08) {
  Path path(1500);
  path.device = 1500;
  path.settle();
  const std::size_t before = path.probes.size();

  // Forged, a hundred thousand within a second.
  for (int i = 0; i < 100'000; ++i) {
    path.mtu.note_hint(static_cast<std::size_t>(i % 1600), path.now);
    if (i % 100 == 0) path.pass(1ms);
    ASSERT_EQ(path.mtu.size(), 1500);
    ASSERT_TRUE(path.mtu.is_measured());
  }
  path.pass(5s);

  EXPECT_EQ(path.mtu.size(), 1500);
  EXPECT_LE(path.probes.size() - before, 1u);
  EXPECT_EQ(path.mtu.counts().black_holes, 0u);
}

TEST(PathMtu, BelievesAHintThatItsOwnProbesConfirm) {
  Path path(1500);
  path.settle();

  path.width = 1460;
  path.mtu.note_hint(1460, path.now);
  path.pass(PathMtu::kAttempts * PathMtu::kTimeoutMin + 3 * kRoundTrip);

  EXPECT_EQ(path.mtu.size(), 1460);
  EXPECT_EQ(path.mtu.counts().black_holes, 1u);
}

TEST(PathMtu, NoticesABlackHoleWithoutAnyHint) {
  Path path(1500);
  path.settle();

  path.width = 1400;
  path.pass(
      PathMtu::kConfirmInterval + PathMtu::kConfirmAttempts * PathMtu::kTimeoutMin + 3 * kRoundTrip,
      true);

  EXPECT_EQ(path.mtu.size(), 1400);
  EXPECT_EQ(path.mtu.counts().black_holes, 1u);
  EXPECT_FALSE(path.mtu.is_measured());
  path.settle();
  EXPECT_TRUE(path.mtu.is_measured());
}

TEST(PathMtu, ConfirmsNothingThatIsNotInUse) {
  Path path(1500);
  path.settle();
  const std::size_t before = path.probes.size();

  path.pass(PathMtu::kRaiseInterval - 1s, false);

  EXPECT_EQ(path.probes.size(), before);
}

TEST(PathMtu, TakesAPeerThatIsAwayForNoBlackHole) {
  Path path(1500);
  path.settle();

  path.answers = false;
  path.pass(120s, true);
  EXPECT_EQ(path.mtu.size(), 1500);
  EXPECT_EQ(path.mtu.counts().black_holes, 0u);

  path.answers = true;
  path.pass(60s, true);
  EXPECT_EQ(path.mtu.size(), 1500);
  EXPECT_EQ(path.mtu.phase(), Phase::Complete);
}

TEST(PathMtu, RisesWithThePathAfterAWhile) {
  Path path(1400);
  path.settle();
  ASSERT_EQ(path.mtu.size(), 1400);

  path.width = 1500;
  path.pass(PathMtu::kRaiseInterval + 1s);

  EXPECT_EQ(path.mtu.size(), 1500);
}

TEST(PathMtu, ObeysItsOwnKernelAtOnce) {
  Path path(1500);
  path.settle();
  ASSERT_EQ(path.mtu.size(), 1500);

  path.device = 1350;
  const Instant changed = path.now;
  path.mtu.note_refused(1500, path.now);
  EXPECT_LT(path.mtu.size(), 1500);
  path.settle();

  EXPECT_LE(path.mtu.size(), 1350);
  EXPECT_GE(path.mtu.size(), 1342);
  EXPECT_LT(path.now - changed, 1s);
}

TEST(PathMtu, LowersWhatIsAssumedWhenTheKernelRefusesIt) {
  Path path(1500);
  path.answers = false;
  path.device = 1300;
  path.settle();

  EXPECT_EQ(path.mtu.size(), 1280);
}

TEST(PathMtu, TakesNoAnswerThatSaysLessThanWasAsked) {
  PathMtu mtu(kV4, kStart);
  mtu.note_answer(1500, kStart);
  mtu.start(kStart);
  mtu.note_answer(1500, kStart);  // Not sent yet.
  ASSERT_EQ(mtu.take_probe(kStart), 1400);

  mtu.note_answer(1399, kStart + kRoundTrip);
  EXPECT_FALSE(mtu.is_proven());
  mtu.note_answer(1400, kStart + kRoundTrip);
  EXPECT_TRUE(mtu.is_proven());
}

TEST(PathMtu, BeginsAnewOnAnotherPathAndKeepsItsCounts) {
  Path path(1500);
  path.settle();
  const auto probes = path.mtu.counts().probes;

  path.mtu.restart(kV6, path.now);
  EXPECT_FALSE(path.mtu.is_proven());
  EXPECT_EQ(path.mtu.size(), 1400);
  EXPECT_EQ(path.mtu.counts().probes, probes);
  path.width = 1280;
  path.settle();

  EXPECT_EQ(path.mtu.size(), 1280);
}

TEST(PathMtu, WaitsLongerForAFarPeerUpToALimit) {
  PathMtu mtu(kV4, kStart);
  mtu.start(kStart);
  ASSERT_TRUE(mtu.take_probe(kStart));
  mtu.note_answer(1400, kStart + 900ms);
  const Instant second = kStart + 900ms;
  ASSERT_TRUE(mtu.take_probe(second));

  EXPECT_EQ(mtu.deadline(), second + 2700ms);
  mtu.note_answer(1500, second + 2s);
  ASSERT_TRUE(mtu.take_probe(second + 2s));
  EXPECT_EQ(mtu.deadline(), second + 2s + PathMtu::kTimeoutMax);
}

TEST(PathMtu, FixedNeverProbesAndNeverMoves) {
  PathMtu mtu = PathMtu::fixed(65'535);
  mtu.start(kStart);
  mtu.handle_timeout(kStart + 3600s, true);
  mtu.note_refused(100, kStart);
  mtu.note_hint(100, kStart);
  mtu.restart(kV4, kStart);

  EXPECT_FALSE(mtu.take_probe(kStart + 3600s));
  EXPECT_EQ(mtu.size(), 65'535);
  EXPECT_FALSE(mtu.is_measured());
}

TEST(PathMtu, LeavesAPathAloneThatCannotBeNarrower) {
  Path path(1280, {.floor = PathMtu::kFloorV6, .ceiling = 648});
  path.settle();

  EXPECT_EQ(path.mtu.size(), 1280);
  EXPECT_EQ(path.probes, (std::vector<std::uint16_t>{1280}));
}

}  // namespace
}  // namespace ringway
