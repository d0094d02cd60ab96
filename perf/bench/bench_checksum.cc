#include <benchmark/benchmark.h>

#include <vector>

#include "tun/checksum.h"

namespace ringway {
namespace {

void checksum(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(checksum_of(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(20)->Arg(64)->Arg(576)->Arg(1400)->Arg(9000)->Arg(61000);

void update(benchmark::State& state) {
  std::uint16_t sum = 0x1234;
  for (auto _ : state) {
    sum = updated_checksum(sum, {.from = 0x4000, .to = sum});
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(update);

}  // namespace
}  // namespace ringway
