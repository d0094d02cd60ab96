#include <benchmark/benchmark.h>

#include <atomic>
#include <thread>
#include <vector>

#include "dataplane/packet_ring.h"
#include "dataplane/spsc_queue.h"

// Hand-over between two threads. Where the machine has one core for both, the time is the
// scheduler's; both ends yield when they have to wait.

namespace ringway {
namespace {

void spsc_queue(benchmark::State& state) {
  SpscQueue<std::uint64_t> queue(1024);
  std::atomic<bool> stop{false};
  std::uint64_t received = 0;
  std::thread consumer([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      if (const auto value = queue.pop()) {
        received += *value;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (auto _ : state) {
    while (!queue.push(std::uint64_t{1})) std::this_thread::yield();
  }
  stop = true;
  consumer.join();
  benchmark::DoNotOptimize(received);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(spsc_queue)->UseRealTime();

void packet_ring(benchmark::State& state) {
  const std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)), 1);
  PacketRing ring(1 << 20);
  std::atomic<bool> stop{false};
  std::uint64_t received = 0;
  std::thread consumer([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      if (!ring.observe()) std::this_thread::yield();
      while (const auto record = ring.front()) {
        received += record->bytes.size();
        ring.pop();
      }
    }
  });
  for (auto _ : state) {
    while (!ring.push({}, packet)) std::this_thread::yield();
  }
  stop = true;
  consumer.join();
  benchmark::DoNotOptimize(received);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(packet_ring)->Arg(64)->Arg(1400)->UseRealTime();

/// What one thread pays for both ends, with no other to wait for.
void packet_ring_alone(benchmark::State& state) {
  const std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)), 1);
  PacketRing ring(1 << 20);
  for (auto _ : state) {
    if (!ring.push({}, packet)) state.SkipWithError("full");
    if (!ring.observe() || !ring.front()) state.SkipWithError("empty");
    ring.pop();
  }
}
BENCHMARK(packet_ring_alone)->Arg(64)->Arg(1400);

}  // namespace
}  // namespace ringway
