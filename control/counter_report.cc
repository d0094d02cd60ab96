#include "control/counter_report.h"

#include <fmt/format.h>

#include <span>
#include <string_view>

namespace ringway {
namespace {

constexpr std::size_t kHandOvers = static_cast<std::size_t>(Counter::HandedOverPackets);

/// "name 3, name 1", or nothing. `always` is the place of one that is shown even when it is zero.
std::string listed(std::span<const std::string_view> names, std::span<const std::uint64_t> counts,
                   std::size_t always = ~std::size_t{0}) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0 && i != always) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", names[i], counts[i]);
  }
  return text;
}

void add_line(std::string& report, std::string_view title, const std::string& counts) {
  if (!counts.empty()) report += fmt::format("{}: {}\n", title, counts);
}

}  // namespace

std::string counter_report(const CounterSnapshot& workers,
                           const std::array<std::uint64_t, kDropCount>& control_drops) {
  std::string report;
  add_line(report, "workers", listed(kCounterNames, workers.counters, kHandOvers));
  add_line(report, "dropped by workers", listed(kDropNames, workers.drops));
  add_line(report, "dropped by the control channel", listed(kDropNames, control_drops));
  add_line(report, "send errors", listed(kIoErrorNames, workers.send_errors));
  add_line(report, "tun write errors", listed(kIoErrorNames, workers.tun_write_errors));
  return report;
}

}  // namespace ringway
