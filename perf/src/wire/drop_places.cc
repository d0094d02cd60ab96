#include "perf/src/wire/drop_places.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <vector>

namespace ringway::wire {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(separators, at)) != text.npos) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::uint64_t number_of(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size() ? value : 0;
}

std::string text_of_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

DropPlaces DropPlaces::since(const DropPlaces& before) const {
  return {.outer_queue = outer_queue - before.outer_queue,
          .inner_queue = inner_queue - before.inner_queue,
          .server_tun = server_tun - before.server_tun,
          .server_socket = server_socket - before.server_socket};
}

/// " device: bytes packets errs drop fifo frame compressed multicast  bytes packets errs drop ..."
std::uint64_t tx_dropped_of(std::string_view proc_net_dev, std::string_view device) {
  constexpr std::size_t kTxDropped = 12;
  for (const std::string_view line : split(proc_net_dev, "\n")) {
    const auto words = split(line, " :");
    if (words.size() > kTxDropped && words[0] == device) return number_of(words[kTxDropped]);
  }
  return 0;
}

std::uint64_t udp4_overflows_of(std::string_view proc_net_snmp) {
  std::vector<std::string_view> names;
  for (const std::string_view line : split(proc_net_snmp, "\n")) {
    if (!line.starts_with("Udp:")) continue;
    const auto words = split(line, " ");
    for (std::size_t i = 0; i < std::min(names.size(), words.size()); ++i) {
      if (names[i] == "RcvbufErrors") return number_of(words[i]);
    }
    names = words;
  }
  return 0;
}

std::uint64_t udp6_overflows_of(std::string_view proc_net_snmp6) {
  for (const std::string_view line : split(proc_net_snmp6, "\n")) {
    const auto words = split(line, " \t");
    if (words.size() == 2 && words[0] == "Udp6RcvbufErrors") return number_of(words[1]);
  }
  return 0;
}

DropPlaces read_drop_places(const DeviceNames& names) {
  const std::string devices = text_of_file("/proc/self/net/dev");
  return {.outer_queue = tx_dropped_of(devices, names.outer),
          .inner_queue = tx_dropped_of(devices, names.inner),
          .server_tun = tx_dropped_of(devices, names.server),
          .server_socket = udp4_overflows_of(text_of_file("/proc/self/net/snmp")) +
                           udp6_overflows_of(text_of_file("/proc/self/net/snmp6"))};
}

}  // namespace ringway::wire
