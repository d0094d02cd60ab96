#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/dataplane/worker_rig.h"

// What makes a worker turn, and what does not.
namespace ringway {
namespace {

using test::expect_both_ways;
using test::HostSocket;
using test::inner_packet;
using test::kHello;
using test::Packet;
using test::TunnelClient;
using test::WorkerRig;

// A turn is one io_uring_enter(), the only system call of the packet path. 64 packets that wait
// take a turn to be received, one to be sent on and one to be told so; the rest is slack for a
// scheduler that lets the worker go before everything is there.
constexpr std::uint64_t kBurst = 64;
constexpr std::uint64_t kTurnsForABurst = 8;

TEST(Worker, TakesAFewSystemCallsForABurstFromTheLink) {
  WorkerRig rig({.starts = false});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  const Packet inner = inner_packet({.address = client.v4, .port = 5000}, host.local(), kHello);
  for (std::uint64_t i = 0; i < kBurst; ++i) client.send(inner);

  rig.start();

  ASSERT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::TunSentPackets) == kBurst;
  }));
  EXPECT_LE(rig.group->counters().of(Counter::LoopTurns), kTurnsForABurst);
}

TEST(Worker, TakesAFewSystemCallsForABurstFromTheTun) {
  WorkerRig rig({.starts = false});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  for (std::uint64_t i = 0; i < kBurst; ++i)
    host.send({.address = client.v4, .port = 5000}, kHello);

  rig.start();

  ASSERT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Counter::LinkSentPackets) >= kBurst;
  }));
  EXPECT_LE(rig.group->counters().of(Counter::LoopTurns), kTurnsForABurst);
}

TEST(Worker, SleepsWhenThereIsNothingToDo_R16) {
  WorkerRig rig;
  ASSERT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::LoopTurns) >= 1; }));
  const std::uint64_t before = rig.group->counters().of(Counter::LoopTurns);

  // Nobody rings: the wait is the quarter of a second that is being watched.
  EXPECT_FALSE(test::is_readable(rig.group->control_bell().fd(), 250));

  // The host's IPv6 looks for neighbours and routers on the new device: a few packets.
  EXPECT_LE(rig.group->counters().of(Counter::LoopTurns) - before, 10u);
}

TEST(Worker, PollsForAsLongAsItIsToldAfterAPacketAndSleepsThen) {
  WorkerRig rig({.pacing = {.delay_max = 50us, .busy_poll = 5ms}});
  const HostSocket host(rig.server_v4);
  expect_both_ways(rig.connect({0}), host, kHello);
  const auto spins = [&] { return rig.group->counters().of(Counter::SpinTurns); };
  ASSERT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::SpinTurns) > 1; }));

  // One quiet stretch is enough: a packet that the host's IPv6 sends begins the polling anew.
  bool has_slept = false;
  for (int i = 0; i < 20 && !has_slept; ++i) {
    const std::uint64_t before = spins();
    EXPECT_FALSE(test::is_readable(rig.group->control_bell().fd(), 50));
    has_slept = spins() == before;
  }

  EXPECT_TRUE(has_slept);
  EXPECT_EQ(rig.group->counters().of(Counter::GatherTurns), 0u);
}

TEST(Worker, DoesNotSpinWhenItsTunIsGone_R16) {
  WorkerRig rig;
  test::run("ip link del " + rig.device_name);
  ASSERT_TRUE(rig.eventually(
      [](const CounterSnapshot& counters) { return counters.of(Counter::TunReadFailed) >= 1; }));
  const std::uint64_t before = rig.group->counters().of(Counter::LoopTurns);

  EXPECT_FALSE(test::is_readable(rig.group->control_bell().fd(), 250));

  EXPECT_LE(rig.group->counters().of(Counter::LoopTurns) - before, 10u);
}

TEST(Worker, NeedsNoHelpFromKernelThreads_E11) {
  WorkerRig rig({.multishot_tun_reads = false});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  for (int i = 0; i < 20; ++i) expect_both_ways(client, host, kHello);

  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    EXPECT_FALSE(name.starts_with("iou-")) << name;
  }
}

}  // namespace
}  // namespace ringway
