#include <benchmark/benchmark.h>

#include <string>

#include "perf/bench/datapath_load.h"

// A worker's core with no kernel: parse, look up, open or seal, route. Client 1 of N in turn.

namespace ringway {
namespace {

using bench::DatapathLoad;

void down(benchmark::State& state, const DatapathLoad::Settings& settings) {
  DatapathLoad load(settings);
  for (auto _ : state) {
    if (!load.send_down()) state.SkipWithError("dropped");
  }
  state.SetItemsProcessed(state.iterations());
}

/// A datagram opens once, so batches are sealed beforehand, outside of the measured time.
void up(benchmark::State& state, const DatapathLoad::Settings& settings) {
  DatapathLoad load(settings);
  while (state.KeepRunningBatch(DatapathLoad::kBatch)) {
    state.PauseTiming();
    load.prepare_up();
    state.ResumeTiming();
    if (!load.send_up()) state.SkipWithError("dropped");
  }
  state.SetItemsProcessed(state.iterations());
}

const bool registered = [] {
  const bool has_ipsec_mb = IpsecMb::open().has_value();
  for (const DataCipher cipher : {DataCipher::Aes256Gcm, DataCipher::ChaCha20Poly1305}) {
    for (const std::size_t size : {64u, 1400u}) {
      for (const std::uint32_t peers : {1u, 1000u}) {
        const DatapathLoad::Settings settings{
            .engine = has_ipsec_mb ? AeadEngine::IpsecMb : AeadEngine::Openssl,
            .cipher = cipher,
            .packet_size = size,
            .peer_count = peers};
        const std::string name = '/' + std::string(name_of(cipher)) + '/' + std::to_string(size) +
                                 "/peers:" + std::to_string(peers);
        benchmark::RegisterBenchmark(("up" + name).c_str(),
                                     [settings](benchmark::State& s) { up(s, settings); });
        benchmark::RegisterBenchmark(("down" + name).c_str(),
                                     [settings](benchmark::State& s) { down(s, settings); });
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ringway
