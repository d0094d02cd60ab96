#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "control/config/option_table.h"
#include "control/config/option_values.h"

/// Ringway's own: how many workers there are, where they run, and what of the kernel they use.
namespace ringway {
namespace {

constexpr std::uint64_t kWorkersMax = 256;
/// As many as sched_setaffinity()'s cpu_set_t can name.
constexpr unsigned kCoresMax = 1024;
/// A tenth of what one hears; more would be felt, and would gain nothing.
constexpr std::uint64_t kBatchDelayMaxUs = 1000;
constexpr std::uint64_t kBusyPollMaxUs = 10'000;

Result<void> apply_workers(ConfigDraft& draft, const ConfigLine& line) {
  const auto count = number_at(line, 1, {0, kWorkersMax});
  if (!count) return std::unexpected(count.error());
  draft.config.workers.count = static_cast<std::uint32_t>(*count);
  return {};
}

std::optional<unsigned> parse_core(std::string_view text) {
  unsigned core = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), core);
  if (error != std::errc{} || end != text.data() + text.size() || core >= kCoresMax) {
    return std::nullopt;
  }
  return core;
}

/// "0-3,8": as taskset -c and AllowedCPUs= take it.
std::optional<std::vector<unsigned>> parse_cores(std::string_view text) {
  std::vector<unsigned> cores;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view range = text.substr(0, comma);
    const std::size_t dash = std::min(range.find('-'), range.size());
    const auto first = parse_core(range.substr(0, dash));
    const auto last = dash == range.size() ? first : parse_core(range.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    for (unsigned core = *first; core <= *last; ++core) {
      if (std::ranges::find(cores, core) != cores.end()) return std::nullopt;
      cores.push_back(core);
    }
    if (comma == text.size()) return cores;
    text.remove_prefix(comma + 1);
  }
}

Result<void> apply_worker_cores(ConfigDraft& draft, const ConfigLine& line) {
  WorkerConfig& workers = draft.config.workers;
  workers.cores.clear();
  if (line.parameter(1) == "auto" || line.parameter(1) == "off") {
    workers.pinning =
        line.parameter(1) == "auto" ? WorkerConfig::Pinning::Auto : WorkerConfig::Pinning::Off;
    return {};
  }
  std::optional<std::vector<unsigned>> cores = parse_cores(line.parameter(1));
  if (!cores) {
    return bad_value(line, 1, "auto, off, or the cores' numbers, each once, such as 0-3,8");
  }
  workers.pinning = WorkerConfig::Pinning::Listed;
  workers.cores = std::move(*cores);
  return {};
}

Result<void> apply_no_gso(ConfigDraft& draft, const ConfigLine&) {
  draft.config.workers.gso = false;
  return {};
}
Result<void> apply_no_gro(ConfigDraft& draft, const ConfigLine&) {
  draft.config.workers.gro = false;
  return {};
}
Result<void> apply_no_tso(ConfigDraft& draft, const ConfigLine&) {
  draft.config.workers.tso = false;
  return {};
}
Result<void> apply_no_uso(ConfigDraft& draft, const ConfigLine&) {
  draft.config.workers.uso = false;
  return {};
}

Result<void> apply_kernel_profile(ConfigDraft& draft, const ConfigLine& line) {
  if (line.parameter(1) != "6.1" && line.parameter(1) != "newest") {
    return bad_value(line, 1, "6.1 or newest");
  }
  draft.config.workers.like_6_1 = line.parameter(1) == "6.1";
  return {};
}

Result<void> store_microseconds(Duration& time, const ConfigLine& line, std::uint64_t max) {
  const auto count = number_at(line, 1, {0, max});
  if (!count) return std::unexpected(count.error());
  time = std::chrono::microseconds(*count);
  return {};
}

Result<void> apply_batch_delay(ConfigDraft& draft, const ConfigLine& line) {
  return store_microseconds(draft.config.workers.batch_delay, line, kBatchDelayMaxUs);
}

Result<void> apply_busy_poll(ConfigDraft& draft, const ConfigLine& line) {
  return store_microseconds(draft.config.workers.busy_poll, line, kBusyPollMaxUs);
}

constexpr std::array kRows = {
    works("workers", "N", {1, 1}, apply_workers,
          "Ringway's own: threads that carry packets; by default one for each core that the "
          "process may use, but no more than a control group's CPU quota feeds."),
    works("worker-cores", "auto|off|LIST", {1, 1}, apply_worker_cores,
          "Ringway's own: the cores that workers are pinned to, e.g. 0-3,8, in turn. `auto`, the "
          "default, pins one worker to each core that the process may use when there are as many "
          "workers as cores and no cgroup limits its share of them; `off` leaves it to the "
          "scheduler."),
    works("no-gso", "", {0, 0}, apply_no_gso,
          "Ringway's own: sends each datagram by itself, never a train (UDP_SEGMENT)."),
    works("no-gro", "", {0, 0}, apply_no_gro,
          "Ringway's own: receives each datagram by itself, never a train (UDP_GRO)."),
    works("no-tso", "", {0, 0}, apply_no_tso,
          "Ringway's own: no TCP super-packets between the host and the TUN, either way."),
    works("no-uso", "", {0, 0}, apply_no_uso,
          "Ringway's own: no UDP super-packets between the host and the TUN, either way."),
    works("kernel-profile", "newest|6.1", {1, 1}, apply_kernel_profile,
          "Ringway's own: `6.1` uses nothing that Linux 6.1 lacks, to tell whether a newer "
          "feature of the kernel is at fault; `newest` is the default."),
    works("batch-delay-us", "N", {1, 1}, apply_batch_delay,
          "Ringway's own: how long a busy worker may wait for more packets when they come one by "
          "one, in microseconds; 50 by default, 0 never waits. An idle worker never waits."),
    works("busy-poll-us", "N", {1, 1}, apply_busy_poll,
          "Ringway's own: how long a worker keeps looking for packets before it sleeps, in "
          "microseconds; 0, the default, never. It costs a whole core while packets come."),
};

}  // namespace

std::span<const OptionRow> worker_options() { return kRows; }

}  // namespace ringway
