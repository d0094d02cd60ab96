#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "dataplane/channel/aead.h"
#include "dataplane/channel/data_packet.h"

// Every engine with every cipher by size, alone (aead/...) and as a whole data packet with its
// header, packet id and replay window (packet/...): the difference is what Ringway adds.

namespace ringway {
namespace {

constexpr std::size_t kSizes[] = {64, 576, 1400, 9000};

struct Case {
  AeadEngine engine;
  DataCipher cipher;
  std::size_t size;

  [[nodiscard]] AeadEngines engines() const {
    AeadChoice choice;
    choice.set(cipher, engine);
    return AeadEngines(choice);
  }
};

void finish(benchmark::State& state, const Case& one) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(one.size));
}

void run_aead(benchmark::State& state, const Case& one, AeadUse use) {
  const AeadEngines engines = one.engines();
  const std::vector<std::uint8_t> key(key_size_of(one.cipher), 1);
  Aead sealer(AeadUse::Seal, one.cipher, key, engines);
  Aead opener(AeadUse::Open, one.cipher, key, engines);
  const std::vector<std::uint8_t> associated(8);
  std::vector<std::uint8_t> from(one.size);
  std::vector<std::uint8_t> to(one.size);
  std::vector<std::uint8_t> tag(kAeadTagSize);
  const AeadNonce nonce{1};
  sealer.seal(nonce, associated, from, from, tag);
  for (auto _ : state) {
    if (use == AeadUse::Seal) {
      sealer.seal(nonce, associated, from, to, tag);
    } else if (!opener.open(nonce, associated, from, tag, to)) {
      state.SkipWithError("does not open");
    }
    benchmark::ClobberMemory();
  }
  finish(state, one);
}

DataKeys make_keys(DataCipher cipher) {
  DataKeys keys;
  keys.cipher = cipher;
  return keys;
}

void run_seal_packet(benchmark::State& state, const Case& one) {
  const AeadEngines engines = one.engines();
  KeyState key(make_keys(one.cipher), {}, engines);
  const std::vector<std::uint8_t> payload(one.size);
  std::vector<std::uint8_t> out(one.size + kDataOverheadMax);
  for (auto _ : state) {
    if (!seal_packet(key, {.peer_id = {5}}, payload, out)) state.SkipWithError("does not seal");
    benchmark::ClobberMemory();
  }
  finish(state, one);
}

/// A packet opens once, so batches are sealed beforehand, outside of the measured time.
void run_open_packet(benchmark::State& state, const Case& one) {
  // Large enough that stopping the clock does not count, small enough for the cache.
  const std::size_t batch_size = one.size > 2000 ? 64 : 256;
  const AeadEngines engines = one.engines();
  KeyState sealer(make_keys(one.cipher), {}, engines);
  KeyState opener(make_keys(one.cipher), {}, engines);
  const DataHeader header{.peer_id = {5}};
  const std::vector<std::uint8_t> payload(one.size);
  std::vector<std::vector<std::uint8_t>> batch(batch_size);
  for (auto& datagram : batch) datagram.resize(one.size + data_overhead(header.size()));
  while (state.KeepRunningBatch(static_cast<std::int64_t>(batch_size))) {
    state.PauseTiming();
    for (auto& datagram : batch) (void)seal_packet(sealer, header, payload, datagram);
    state.ResumeTiming();
    for (auto& datagram : batch) {
      if (!open_packet(opener, header, datagram)) state.SkipWithError("does not open");
    }
  }
  finish(state, one);
}

void register_case(const Case& one) {
  const std::string name = std::string(name_of(one.engine)) + '/' +
                           std::string(name_of(one.cipher)) + '/' + std::to_string(one.size);
  const auto add = [&](const std::string& what, auto run) {
    benchmark::RegisterBenchmark((what + '/' + name).c_str(), run);
  };
  add("aead_seal", [one](benchmark::State& s) { run_aead(s, one, AeadUse::Seal); });
  add("aead_open", [one](benchmark::State& s) { run_aead(s, one, AeadUse::Open); });
  add("packet_seal", [one](benchmark::State& s) { run_seal_packet(s, one); });
  add("packet_open", [one](benchmark::State& s) { run_open_packet(s, one); });
}

const bool registered = [] {
  const bool has_ipsec_mb = IpsecMb::open().has_value();
  for (const AeadEngine engine : kAeadEngines) {
    if (engine == AeadEngine::IpsecMb && !has_ipsec_mb) continue;
    for (const DataCipher cipher : kDataCiphers) {
      if (!can_serve(engine, cipher)) continue;
      for (const std::size_t size : kSizes) register_case({engine, cipher, size});
    }
  }
  return true;
}();

}  // namespace
}  // namespace ringway
