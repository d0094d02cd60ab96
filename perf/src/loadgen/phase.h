#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "perf/src/loadgen/latency_histogram.h"
#include "perf/src/loadgen/load_loop.h"

namespace ringway::loadgen {

/// One line that says what to do: `NAME key=value ...`. Pure value.
struct PhaseOrder {
  std::string name;
  std::map<std::string, std::string, std::less<>> values;

  static Result<PhaseOrder> parse(std::string_view line);
  [[nodiscard]] std::size_t count(std::string_view key, std::size_t otherwise) const;
  [[nodiscard]] Duration seconds(std::string_view key, Duration otherwise) const;
  /// An error that names the first key that is not among `known`.
  [[nodiscard]] Result<void> allow(std::initializer_list<std::string_view> known) const;
};

/// What a phase found, one JSON object a line; keys in the order of writing.
using PhaseReport = nlohmann::ordered_json;

struct EchoAddresses {
  std::optional<IpAddress> v4;
  std::optional<IpAddress> v6;
};

/// Runs one phase to its end on the loop's clients. Phases are independent of each other but for
/// the clients' stages: what one connected, the next uses.
///
///     connect      count= rate= timeout=   all idle ones, `rate` a second (0: at once)
///     hold         seconds=                keep-alive alone
///     traffic      see traffic_phase.h
///     float        clients= seconds=       new source ports; who is answered from there?
///     renegotiate  clients= timeout=       all at once, until each has new keys
///     reconnect    timeout= spread=        the server is restarted meanwhile: whoever is thrown
///                                          out comes back within `spread` seconds
///     leave        clients= seconds=       says goodbye; `seconds` 0: vanishes silently
Result<PhaseReport> run_phase(const PhaseOrder& order, LoadLoop& loop, const EchoAddresses& echo);

Result<PhaseReport> run_connect(const PhaseOrder& order, LoadLoop& loop);
Result<PhaseReport> run_hold(const PhaseOrder& order, LoadLoop& loop);
Result<PhaseReport> run_float(const PhaseOrder& order, LoadLoop& loop, const EchoAddresses& echo);
Result<PhaseReport> run_renegotiate(const PhaseOrder& order, LoadLoop& loop);
Result<PhaseReport> run_reconnect(const PhaseOrder& order, LoadLoop& loop);
Result<PhaseReport> run_leave(const PhaseOrder& order, LoadLoop& loop);

double in_seconds(Duration duration);
/// count, p50, p90, p99 and max, in milliseconds.
PhaseReport describe(const LatencyHistogram& histogram);
/// The numbers of the first `count` connected clients.
std::vector<std::size_t> connected_clients(LoadLoop& loop, std::size_t count);
/// What the cores dropped, by reason, and what the sockets refused; without the zeros.
PhaseReport describe_drops(LoadLoop& loop);

}  // namespace ringway::loadgen
