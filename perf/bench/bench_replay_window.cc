#include <benchmark/benchmark.h>

#include "dataplane/channel/replay_window.h"

namespace ringway {
namespace {

void in_order(benchmark::State& state) {
  ReplayWindow window;
  std::uint32_t id = 0;
  for (auto _ : state) benchmark::DoNotOptimize(window.accept({++id}));
}
BENCHMARK(in_order);

/// Two bursts that overtook each other: every other packet is behind the highest.
void interleaved(benchmark::State& state) {
  const auto distance = static_cast<std::uint32_t>(state.range(0));
  ReplayWindow window;
  std::uint32_t id = distance;
  bool ahead = true;
  for (auto _ : state) {
    benchmark::DoNotOptimize(window.accept({ahead ? id + distance : id}));
    if (!ahead) ++id;
    ahead = !ahead;
  }
}
BENCHMARK(interleaved)->Arg(64)->Arg(1024);

void replayed(benchmark::State& state) {
  ReplayWindow window;
  (void)window.accept({1000});
  for (auto _ : state) benchmark::DoNotOptimize(window.accept({1000}));
}
BENCHMARK(replayed);

}  // namespace
}  // namespace ringway
