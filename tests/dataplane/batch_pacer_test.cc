#include "dataplane/batch_pacer.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

constexpr PacingSettings kSettings{.delay_max = 50us};

/// A worker in virtual time: packets come at even distances, each turn takes what has come and the
/// time that its packets cost, and waits as the pacer says. `longest_wait` is what the pacer alone
/// has added to a packet's way.
class Worker {
 public:
  explicit Worker(const PacingSettings& settings) : pacer(settings) {}

  struct Stream {
    Duration distance{0};
    std::uint64_t size = 1400;
  };

  void run(const Stream& stream, Duration time) {
    const Instant end = now + time;
    Instant next = now + stream.distance;
    while (now < end) {
      const Instant wake = std::max(next, now + pacer.delay());
      longest_wait = std::max(longest_wait, wake - std::max(next, now));
      now = wake;
      std::uint32_t arrivals = 0;
      while (next <= now) {
        ++arrivals;
        next = next + stream.distance;
      }
      now = now + kTurnCost + arrivals * kPacketCost;
      pacer.note_turn({.now = now, .arrivals = arrivals, .bytes = arrivals * stream.size});
      ++turns;
      packets += arrivals;
    }
  }

  static constexpr Duration kTurnCost = 2us;
  static constexpr Duration kPacketCost = 1us;
  BatchPacer pacer;
  Instant now{1h};
  Duration longest_wait{0};
  std::uint64_t turns = 0;
  std::uint64_t packets = 0;
};

TEST(BatchPacer, AnswersAtOnceWhenIdle) {
  Worker worker(kSettings);

  worker.run({.distance = 10ms}, 1s);

  EXPECT_EQ(worker.pacer.delay(), Duration{0});
  EXPECT_EQ(worker.longest_wait, Duration{0});
}

TEST(BatchPacer, AnswersAtOnceAPacketThatFollowsWithinAMillisecond) {
  Worker worker(kSettings);

  worker.run({.distance = 100us}, 100ms);

  EXPECT_EQ(worker.longest_wait, Duration{0}) << "fewer than two would come in 50 us";
}

TEST(BatchPacer, MakesBatchesOfPacketsThatComeFastAndOneByOne) {
  Worker without({});
  without.run({.distance = 5us}, 100ms);
  Worker worker(kSettings);
  worker.run({.distance = 5us}, 100ms);

  EXPECT_EQ(without.packets / without.turns, 1u);
  EXPECT_GE(worker.packets / worker.turns, 9u);
  EXPECT_EQ(worker.pacer.delay(), 50us);
}

TEST(BatchPacer, NeverWaitsLongerThanAllowed) {
  for (const auto distance : {500ns, 1000ns, 2000ns, 5000ns, 20000ns, 24000ns}) {
    Worker worker(kSettings);

    worker.run({.distance = distance}, 50ms);

    EXPECT_LE(worker.longest_wait, kSettings.delay_max) << distance.count();
  }
}

TEST(BatchPacer, WaitsOnlyAsLongAsABatchNeeds) {
  Worker worker({.delay_max = 1ms});

  worker.run({.distance = 5us}, 200ms);

  EXPECT_GT(worker.pacer.delay(), 100us);
  EXPECT_LT(worker.pacer.delay(), BatchPacer::kEnough * 5us + 1us);
}

TEST(BatchPacer, DoesNotWaitWhenBatchesFormByThemselves) {
  BatchPacer pacer(kSettings);
  Instant now{1h};
  for (int turn = 0; turn < 1000; ++turn) {
    now = now + 40us;
    pacer.note_turn({.now = now, .arrivals = 40, .bytes = 40 * 1400});
    ASSERT_EQ(pacer.delay(), Duration{0}) << turn;
  }
}

TEST(BatchPacer, DoesNotWaitForTrainsThatArriveMerged) {
  Worker worker(kSettings);

  worker.run({.distance = 10us, .size = 40 * 1400}, 100ms);

  EXPECT_EQ(worker.longest_wait, Duration{0});
}

TEST(BatchPacer, StopsWithinTwoWindowsWhenTheTrafficStops) {
  Worker worker(kSettings);
  worker.run({.distance = 5us}, 50ms);
  ASSERT_GT(worker.pacer.delay(), Duration{0});

  worker.run({.distance = 3ms}, 6ms);

  EXPECT_EQ(worker.pacer.delay(), Duration{0});
}

TEST(BatchPacer, StopsWhenSendersWaitForEachAnswer) {
  // Four peers, each of which sends its next packet 20 us after the answer to the last.
  BatchPacer pacer(kSettings);
  Instant now{1h};
  int waited = 0;
  int turns = 0;
  for (const Instant end = now + 1s; now < end; ++turns) {
    if (pacer.delay() > Duration{0}) ++waited;
    now = now + std::max(Duration{20us}, pacer.delay() + 25us);
    pacer.note_turn({.now = now, .arrivals = 4, .bytes = 4 * 100});
  }

  EXPECT_GT(waited, 0) << "it has to try";
  EXPECT_LT(waited, turns / 5);
}

TEST(BatchPacer, KeepsWaitingWhenAsMuchArrivesAsBefore) {
  Worker worker(kSettings);
  worker.run({.distance = 5us}, 50ms);

  for (int i = 0; i < 100; ++i) {
    worker.run({.distance = 5us}, 5ms);
    ASSERT_GT(worker.pacer.delay(), Duration{0}) << i;
  }
}

TEST(BatchPacer, NeverWaitsWhenSwitchedOff) {
  Worker worker({});

  worker.run({.distance = 3us}, 100ms);

  EXPECT_EQ(worker.longest_wait, Duration{0});
  EXPECT_FALSE(worker.pacer.spins(worker.now));
}

TEST(BatchPacer, SpinsUntilItsLimitAfterTheLastPacketAndNeverWaitsThen) {
  BatchPacer pacer({.delay_max = 50us, .busy_poll = 100us});
  const Instant begin{1h};
  EXPECT_FALSE(pacer.spins(begin)) << "nothing has come yet";

  pacer.note_turn({.now = begin, .arrivals = 1, .bytes = 100});

  EXPECT_TRUE(pacer.spins(begin));
  pacer.note_turn({.now = begin + 99us});
  EXPECT_TRUE(pacer.spins(begin + 99us));
  pacer.note_turn({.now = begin + 100us});
  EXPECT_FALSE(pacer.spins(begin + 100us));

  Worker worker({.delay_max = 50us, .busy_poll = 100us});
  worker.run({.distance = 3us}, 100ms);
  EXPECT_EQ(worker.longest_wait, Duration{0});
}

}  // namespace
}  // namespace ringway
