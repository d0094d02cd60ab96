#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "perf/bench/datapath_load.h"

// What tools/gate runs under callgrind: a number of packets through a whole datapath, by an engine
// that a simulated processor runs as a real one does. Counting is switched on by the names of the
// functions below, so that start-up and the client's sealing are not counted.
//
//   gate_load up|down|super SIZE PACKETS [epochs]

using ringway::bench::DatapathLoad;

extern "C" [[gnu::noinline]] bool gate_counts_up(DatapathLoad& load) { return load.send_up(); }

extern "C" [[gnu::noinline]] bool gate_counts_down(DatapathLoad& load) {
  bool good = true;
  for (std::size_t i = 0; i < DatapathLoad::kBatch; ++i) good = load.send_down() && good;
  return good;
}

extern "C" [[gnu::noinline]] bool gate_counts_super(DatapathLoad& load) {
  return load.send_super();
}

/// kBatch packets the given way. False when any was dropped.
bool send_batch(DatapathLoad& load, std::string_view way) {
  if (way == "down") return gate_counts_down(load);
  if (way == "up") {
    load.prepare_up();
    return gate_counts_up(load);
  }
  bool good = true;
  for (std::size_t i = 0; i < DatapathLoad::kBatch; i += DatapathLoad::kSuperPackets) {
    load.prepare_super();
    good = gate_counts_super(load) && good;
  }
  return good;
}

std::size_t number_in(std::string_view word) {
  std::size_t number = 0;
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const bool in_epochs = words.size() == 5 && std::string_view(words[4]) == "epochs";
  if (words.size() != 4 && !in_epochs) {
    std::fputs("Usage: gate_load up|down|super SIZE PACKETS [epochs]\n", stderr);
    return 2;
  }
  const std::size_t packets = number_in(words[3]);
  DatapathLoad load({.engine = ringway::AeadEngine::Openssl,
                     .packet_size = number_in(words[2]),
                     .peer_count = 100,
                     .in_epochs = in_epochs});
  for (std::size_t i = 0; i < packets; i += DatapathLoad::kBatch) {
    if (!send_batch(load, words[1])) return 1;
  }
  return 0;
}
