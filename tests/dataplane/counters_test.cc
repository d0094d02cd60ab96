#include "dataplane/counters.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

namespace ringway {
namespace {

TEST(Counters, SnapshotHoldsWhatWasCounted) {
  Counters counters;

  counters.add(Counter::LinkReceivedPackets);
  counters.add(Counter::LinkReceivedBytes, 1400);
  counters.add(Counter::LinkReceivedBytes, 100);

  EXPECT_EQ(counters.snapshot().of(Counter::LinkReceivedPackets), 1u);
  EXPECT_EQ(counters.snapshot().of(Counter::LinkReceivedBytes), 1500u);
  EXPECT_EQ(counters.snapshot().of(Counter::LinkSentPackets), 0u);
}

TEST(Counters, AddsTheDropsOfTheShellAndOfTheCore) {
  Counters counters;
  std::array<std::uint64_t, kDropCount> core{};
  core[static_cast<std::size_t>(Drop::Truncated)] = 5;

  counters.add(Drop::Truncated);
  counters.add(Drop::QueueFull);
  counters.publish_core_drops(core);
  counters.publish_core_drops(core);

  EXPECT_EQ(counters.snapshot().of(Drop::Truncated), 6u);
  EXPECT_EQ(counters.snapshot().of(Drop::QueueFull), 1u);
}

TEST(Counters, CountsSendErrorsByTheirNumber_E07) {
  Counters counters;
  for (const int error : {ENETUNREACH, ENETUNREACH, EPERM, E2BIG}) counters.add_send_error(error);

  const CounterSnapshot values = counters.snapshot();

  EXPECT_EQ(kIoErrorNames[io_error_index(ENETUNREACH)], "enetunreach");
  EXPECT_EQ(kIoErrorNames[io_error_index(ENETDOWN)], "enetdown");
  EXPECT_EQ(values.send_errors[io_error_index(ENETUNREACH)], 2u);
  EXPECT_EQ(values.send_errors[io_error_index(EPERM)], 1u);
  EXPECT_EQ(values.send_errors[kIoErrorCount - 1], 1u);
}

TEST(Counters, SnapshotsOfWorkersAddUp) {
  Counters one;
  Counters other;
  one.add(Counter::LoopTurns, 2);
  other.add(Counter::LoopTurns, 3);
  other.add(Drop::NoBuffer);

  CounterSnapshot sum = one.snapshot();
  sum.add(other.snapshot());

  EXPECT_EQ(sum.of(Counter::LoopTurns), 5u);
  EXPECT_EQ(sum.of(Drop::NoBuffer), 1u);
}

TEST(Counters, MayBeReadWhileTheyAreWritten) {
  Counters counters;
  std::thread writer([&counters] {
    for (int i = 0; i < 10'000; ++i) counters.add(Counter::LoopTurns);
  });

  std::uint64_t last = 0;
  while (last < 10'000) {
    const std::uint64_t turns = counters.snapshot().of(Counter::LoopTurns);
    ASSERT_GE(turns, last);
    last = turns;
  }
  writer.join();
}

}  // namespace
}  // namespace ringway
