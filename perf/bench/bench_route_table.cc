#include <benchmark/benchmark.h>

#include "dataplane/route_table.h"

namespace ringway {
namespace {

constexpr std::uint32_t kPool = 0x0a00'0000;  // 10.0.0.0/8

DatapathSettings settings_for(std::uint32_t peers) {
  DatapathSettings settings;
  settings.pool_v4 = Prefix::parse("10.0.0.0/8").value();
  settings.sessions_max = peers;
  return settings;
}

/// Each peer has its host address and a network behind it; hosts are looked up in turn.
void find_host(benchmark::State& state) {
  const auto peers = static_cast<std::uint32_t>(state.range(0));
  RouteTable routes(settings_for(peers));
  for (std::uint32_t i = 1; i <= peers; ++i) {
    routes.add(Prefix::host(IpAddress::v4(kPool + i)), {i});
    routes.add({.address = IpAddress::v4(0xac10'0000 + (i << 8)), .length = 24}, {i});
  }
  std::uint32_t at = 0;
  for (auto _ : state) {
    at = (at + 7919) % peers;
    benchmark::DoNotOptimize(routes.find(IpAddress::v4(kPool + 1 + at)));
  }
}
BENCHMARK(find_host)->Arg(1)->Arg(1000)->Arg(100000);

/// Found by the last of four lengths.
void find_network(benchmark::State& state) {
  RouteTable routes(settings_for(1000));
  routes.add(Prefix::host(IpAddress::v4(kPool + 1)), {1});
  routes.add(Prefix::parse("172.16.1.0/24").value(), {1});
  routes.add(Prefix::parse("172.16.0.0/16").value(), {1});
  routes.add(Prefix::parse("172.0.0.0/8").value(), {2});
  for (auto _ : state) benchmark::DoNotOptimize(routes.find(IpAddress::v4(0xac63'0001)));
}
BENCHMARK(find_network);

void find_nothing(benchmark::State& state) {
  RouteTable routes(settings_for(1000));
  routes.add(Prefix::host(IpAddress::v4(kPool + 1)), {1});
  for (auto _ : state) benchmark::DoNotOptimize(routes.find(IpAddress::v4(0x0808'0808)));
}
BENCHMARK(find_nothing);

}  // namespace
}  // namespace ringway
