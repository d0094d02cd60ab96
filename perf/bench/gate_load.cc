#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "perf/bench/datapath_load.h"

// What tools/gate runs under callgrind: a number of packets through a whole datapath, by an engine
// that a simulated processor runs as a real one does. Counting is switched on by the names of the
// two functions below, so that start-up and the client's sealing are not counted.
//
//   gate_load up|down SIZE PACKETS

using ringway::bench::DatapathLoad;

extern "C" [[gnu::noinline]] bool gate_counts_up(DatapathLoad& load) { return load.send_up(); }

extern "C" [[gnu::noinline]] bool gate_counts_down(DatapathLoad& load) {
  bool good = true;
  for (std::size_t i = 0; i < DatapathLoad::kBatch; ++i) good = load.send_down() && good;
  return good;
}

std::size_t number_in(std::string_view word) {
  std::size_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  if (words.size() != 4) {
    std::fputs("Usage: gate_load up|down SIZE PACKETS\n", stderr);
    return 2;
  }
  const bool is_up = std::string_view(words[1]) == "up";
  const std::size_t packets = number_in(words[3]);
  DatapathLoad load({.engine = ringway::AeadEngine::Openssl,
                     .packet_size = number_in(words[2]),
                     .peer_count = 100});
  for (std::size_t i = 0; i < packets; i += DatapathLoad::kBatch) {
    if (is_up) load.prepare_up();
    if (is_up ? !gate_counts_up(load) : !gate_counts_down(load)) return 1;
  }
  return 0;
}
