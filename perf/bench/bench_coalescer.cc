#include <benchmark/benchmark.h>

#include <vector>

#include "perf/bench/packets.h"
#include "tun/coalescer.h"

namespace ringway {
namespace {

constexpr std::size_t kBatch = 64;

/// Adds a batch, gathers all of its frames and clears. Items are packets.
void run(benchmark::State& state, const std::vector<bench::Packet>& packets) {
  Coalescer coalescer({.tcp = true, .udp = true});
  std::array<Bytes, Coalescer::kGatherMax> spans;
  std::size_t frames = 0;
  for (auto _ : state) {
    for (const bench::Packet& packet : packets) {
      const auto ip = parse_ip_packet(packet);
      if (!ip || !coalescer.add(*ip)) state.SkipWithError("not taken");
    }
    frames = coalescer.frame_count();
    for (std::size_t i = 0; i < frames; ++i)
      benchmark::DoNotOptimize(coalescer.gather(i, spans).data());
    coalescer.clear();
  }
  const auto count = static_cast<std::int64_t>(packets.size());
  state.SetItemsProcessed(state.iterations() * count);
  state.counters["packets_a_frame"] = static_cast<double>(count) / static_cast<double>(frames);
}

void tcp_flows(benchmark::State& state) {
  const auto flows = static_cast<std::size_t>(state.range(0));
  std::vector<bench::Packet> packets;
  for (std::size_t i = 0; i < kBatch; ++i) {
    const bench::Flow flow{.source_port = static_cast<std::uint16_t>(40000 + i % flows)};
    packets.push_back(
        bench::tcp_packet(flow, 1400, static_cast<std::uint32_t>(1000 + i / flows * 1348)));
  }
  run(state, packets);
}
BENCHMARK(tcp_flows)->Arg(1)->Arg(8)->Arg(64);

void udp_flow(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  run(state, std::vector<bench::Packet>(kBatch, bench::udp_packet({}, size)));
}
BENCHMARK(udp_flow)->Arg(64)->Arg(1400);

/// What never merges.
void acknowledgements(benchmark::State& state) {
  run(state, std::vector<bench::Packet>(kBatch, bench::tcp_packet({}, 52, 1000)));
}
BENCHMARK(acknowledgements);

}  // namespace
}  // namespace ringway
