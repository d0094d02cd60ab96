#include <benchmark/benchmark.h>

#include <vector>

#include "perf/bench/packets.h"
#include "tun/segmenter.h"

namespace ringway {
namespace {

/// Cuts one super-packet. Items are packets that come out.
void cut(benchmark::State& state, const bench::Packet& packet, const VnetHeader& header) {
  bench::Packet out(2000);
  std::int64_t count = 0;
  for (auto _ : state) {
    const auto ip = parse_ip_packet(packet);
    auto segmenter = Segmenter::start(header, *ip);
    if (!segmenter) return state.SkipWithError("refused");
    while (segmenter->next_size() > 0) {
      benchmark::DoNotOptimize(segmenter->write_next(out).data());
      ++count;
    }
  }
  state.SetItemsProcessed(count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(packet.size()));
}

void tcp(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  cut(state, bench::tcp_packet({}, size, 1000),
      {.needs_checksum = true,
       .gso_type = GsoType::TcpV4,
       .header_size = 52,
       .gso_size = 1348,
       .checksum_start = 20,
       .checksum_offset = 16});
}
BENCHMARK(tcp)->Arg(1400)->Arg(14000)->Arg(61000);

void udp(benchmark::State& state) {
  cut(state, bench::udp_packet({}, 61000),
      {.needs_checksum = true,
       .gso_type = GsoType::UdpL4,
       .header_size = 28,
       .gso_size = static_cast<std::uint16_t>(state.range(0)),
       .checksum_start = 20,
       .checksum_offset = 6});
}
BENCHMARK(udp)->Arg(1372);

}  // namespace
}  // namespace ringway
