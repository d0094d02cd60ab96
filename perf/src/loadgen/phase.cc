#include "perf/src/loadgen/phase.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "perf/src/loadgen/traffic_phase.h"

namespace ringway::loadgen {

Result<PhaseOrder> PhaseOrder::parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  PhaseOrder order;
  words >> order.name;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail("\"" + word + "\" is no key=value", std::string(line));
    }
    double number = 0;
    const char* const begin = word.data() + equals + 1;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || rest != end || number < 0) {
      return fail("\"" + word + "\" has no number of zero or more", std::string(line));
    }
    order.values[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return order;
}

std::size_t PhaseOrder::count(std::string_view key, std::size_t otherwise) const {
  const auto found = values.find(key);
  if (found == values.end()) return otherwise;
  return static_cast<std::size_t>(std::stod(found->second));
}

Duration PhaseOrder::seconds(std::string_view key, Duration otherwise) const {
  const auto found = values.find(key);
  if (found == values.end()) return otherwise;
  return Duration{static_cast<std::int64_t>(std::stod(found->second) * 1e9)};
}

Result<void> PhaseOrder::allow(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : values) {
    if (std::ranges::find(known, key) == known.end()) {
      return fail("the phase " + name + " knows no " + key);
    }
  }
  return {};
}

Result<PhaseReport> run_phase(const PhaseOrder& order, LoadLoop& loop, const EchoAddresses& echo) {
  if (order.name == "connect") return run_connect(order, loop);
  if (order.name == "hold") return run_hold(order, loop);
  if (order.name == "traffic") return run_traffic(order, loop, echo);
  if (order.name == "float") return run_float(order, loop, echo);
  if (order.name == "renegotiate") return run_renegotiate(order, loop);
  if (order.name == "reconnect") return run_reconnect(order, loop);
  if (order.name == "leave") return run_leave(order, loop);
  return fail("there is no phase \"" + order.name + "\"", {},
              "write connect, hold, traffic, float, renegotiate, reconnect or leave");
}

double in_seconds(Duration duration) { return static_cast<double>(duration.count()) * 1e-9; }

PhaseReport describe(const LatencyHistogram& histogram) {
  const auto milliseconds = [&](double fraction) {
    return in_seconds(histogram.percentile(fraction)) * 1e3;
  };
  return {{"count", histogram.count()},     {"p50_ms", milliseconds(0.50)},
          {"p90_ms", milliseconds(0.90)},   {"p99_ms", milliseconds(0.99)},
          {"p999_ms", milliseconds(0.999)}, {"max_ms", in_seconds(histogram.max()) * 1e3}};
}

std::vector<std::size_t> connected_clients(LoadLoop& loop, std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < loop.size() && chosen.size() < count; ++i) {
    if (loop.client(i).stage() == LoadClient::Stage::Connected) chosen.push_back(i);
  }
  return chosen;
}

PhaseReport describe_drops(LoadLoop& loop) {
  std::array<std::uint64_t, kDropCount> sum{};
  std::uint64_t refused = 0;
  for (std::size_t i = 0; i < loop.size(); ++i) {
    LoadClient& client = loop.client(i);
    refused += client.send_failures();
    if (!client.has_core()) continue;
    const auto drops = client.core().drops();
    for (std::size_t reason = 0; reason < kDropCount; ++reason) sum[reason] += drops[reason];
  }
  PhaseReport report = PhaseReport::object();
  for (std::size_t reason = 0; reason < kDropCount; ++reason) {
    if (sum[reason] > 0) report[std::string(kDropNames[reason])] = sum[reason];
  }
  if (refused > 0) report["refused_by_socket"] = refused;
  return report;
}

}  // namespace ringway::loadgen
