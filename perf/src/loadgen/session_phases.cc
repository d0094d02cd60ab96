#include <algorithm>
#include <array>

#include "perf/src/loadgen/phase.h"
#include "perf/src/loadgen/probe.h"

/// The phases that are about sessions: connect, hold, float, renegotiate, reconnect and leave.
namespace ringway::loadgen {
namespace {

using Stage = LoadClient::Stage;

std::string cause_of(const ClientDisconnected& event) {
  switch (event.cause) {
    case ClientDisconnected::Cause::Left: return "left";
    case ClientDisconnected::Cause::AuthFailed: return "auth_failed: " + event.reason;
    case ClientDisconnected::Cause::ServerRestart: return "server_restart";
    case ClientDisconnected::Cause::ServerHalt: return "server_halt";
    case ClientDisconnected::Cause::Silence: return "silence";
    case ClientDisconnected::Cause::Over: return "over";
    case ClientDisconnected::Cause::Failed: return event.reason;
  }
  return "unknown";
}

/// Counts what happens to sessions, whatever the phase.
class Sessions final : public LoadObserver {
 public:
  explicit Sessions(LoadLoop& loop) : loop_(loop) { loop.observe(this); }
  ~Sessions() override { loop_.observe(nullptr); }
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  void on_event(std::size_t client, const ClientEvent& event, Now now) override {
    if (std::holds_alternative<ClientConnected>(event)) {
      connect_times.add(now.instant - loop_.client(client).started());
      last_connected = now.instant;
      ++connected;
    } else if (const auto* gone = std::get_if<ClientDisconnected>(&event)) {
      const auto found = causes.find(cause_of(*gone));
      causes[cause_of(*gone)] = found == causes.end() ? 1 : found->get<std::uint64_t>() + 1;
      last_disconnected = now.instant;
      ++disconnected;
      if (thrown_out != nullptr) thrown_out->push_back(client);
    } else {
      rekey_times.add(now.instant - began);
      ++rekeyed;
    }
  }
  void on_packet(std::size_t client, Bytes packet, Now) override {
    if (read_probe_packet(packet)) heard.push_back(client);
  }

  LatencyHistogram connect_times;
  LatencyHistogram rekey_times;
  Instant began = monotonic_now();
  Instant last_connected = began;
  Instant last_disconnected = began;
  std::size_t connected = 0;
  std::size_t disconnected = 0;
  std::size_t rekeyed = 0;
  PhaseReport causes = PhaseReport::object();
  std::vector<std::size_t> heard;
  std::vector<std::size_t>* thrown_out = nullptr;

 private:
  LoadLoop& loop_;
};

constexpr std::size_t kAll = static_cast<std::size_t>(-1);
/// Sleep no longer than this, so that a phase's own conditions are looked at.
constexpr Duration kTick = 5ms;
/// Clients that are started between two looks at the sockets.
constexpr std::size_t kStartsPerTurn = 32;

}  // namespace

Result<PhaseReport> run_connect(const PhaseOrder& order, LoadLoop& loop) {
  if (auto known = order.allow({"count", "rate", "timeout"}); !known) {
    return std::unexpected(known.error());
  }
  std::vector<std::size_t> idle;
  for (std::size_t i = 0; i < loop.size() && idle.size() < order.count("count", kAll); ++i) {
    const Stage stage = loop.client(i).stage();
    if (stage == Stage::Idle || stage == Stage::Over) idle.push_back(i);
  }
  const auto rate = static_cast<double>(order.count("rate", 0));
  const Duration timeout = order.seconds("timeout", 60s);

  Sessions sessions(loop);
  std::size_t started = 0;
  std::size_t without_socket = 0;
  while (sessions.connected + sessions.disconnected + without_socket < idle.size()) {
    const Now now = read_clocks();
    const Duration elapsed = now.instant - sessions.began;
    if (elapsed > timeout) break;
    std::size_t due = idle.size();
    if (rate > 0) due = std::min(due, 1 + static_cast<std::size_t>(in_seconds(elapsed) * rate));
    for (std::size_t i = 0; started < due && i < kStartsPerTurn; ++i, ++started) {
      if (!loop.start(idle[started], read_clocks())) ++without_socket;
    }
    const bool has_more = started < due;
    loop.turn(has_more ? now.instant : now.instant + (rate > 0 ? Duration{1ms} : kTick));
  }
  for (const std::size_t number : idle) {
    if (loop.client(number).stage() == Stage::Connecting) loop.abandon(number);
  }
  const Duration took = sessions.last_connected - sessions.began;
  PhaseReport failures = sessions.causes;
  const std::size_t late =
      idle.size() - sessions.connected - sessions.disconnected - without_socket;
  if (late > 0) failures["not within the timeout"] = late;
  if (without_socket > 0) failures["no socket"] = without_socket;
  return PhaseReport{
      {"phase", "connect"},
      {"clients", idle.size()},
      {"connected", sessions.connected},
      {"success", idle.empty()
                      ? 1.0
                      : static_cast<double>(sessions.connected) / static_cast<double>(idle.size())},
      {"seconds", in_seconds(took)},
      {"connects_per_second",
       took > Duration{0} ? static_cast<double>(sessions.connected) / in_seconds(took) : 0.0},
      {"time_to_connect", describe(sessions.connect_times)},
      {"failures", failures},
      {"client_drops", describe_drops(loop)}};
}

Result<PhaseReport> run_hold(const PhaseOrder& order, LoadLoop& loop) {
  if (auto known = order.allow({"seconds"}); !known) return std::unexpected(known.error());
  Sessions sessions(loop);
  const std::size_t held = connected_clients(loop, kAll).size();
  const Instant end = sessions.began + order.seconds("seconds", 10s);
  while (monotonic_now() < end) loop.turn(end);
  return PhaseReport{{"phase", "hold"},
                     {"clients", held},
                     {"seconds", in_seconds(monotonic_now() - sessions.began)},
                     {"still_connected", connected_clients(loop, kAll).size()},
                     {"rekeyed", sessions.rekeyed},
                     {"disconnected", sessions.causes}};
}

/// A server that floats peers answers from the first authentic packet of the new port on.
Result<PhaseReport> run_float(const PhaseOrder& order, LoadLoop& loop, const EchoAddresses& echo) {
  if (auto known = order.allow({"clients", "seconds"}); !known) {
    return std::unexpected(known.error());
  }
  if (!echo.v4) return fail("float needs an IPv4 echo", {}, "see --echo");
  constexpr std::size_t kProbeSize = 128;
  constexpr Duration kEvery = 250ms;
  std::vector<std::size_t> floated = connected_clients(loop, order.count("clients", 10));
  std::erase_if(floated, [&](std::size_t number) { return !loop.client(number).inner_v4(); });
  Sessions sessions(loop);
  for (const std::size_t number : floated) {
    if (!loop.float_away(number)) return fail("the system gives no socket");
  }
  const Instant end = sessions.began + order.seconds("seconds", 3s);
  Instant next = sessions.began;
  while (monotonic_now() < end) {
    const Now now = read_clocks();
    if (now.instant >= next) {
      next = now.instant + kEvery;
      for (const std::size_t number : floated) {
        std::array<std::uint8_t, kProbeSize> packet{};
        write_probe_packet({.from = *loop.client(number).inner_v4(), .to = *echo.v4},
                           {.client = static_cast<std::uint32_t>(number),
                            .sent_at = now.instant.since_start.count()},
                           packet);
        loop.client(number).send_packet(packet, now);
      }
    }
    loop.turn(std::min(end, next));
  }
  std::ranges::sort(sessions.heard);
  const auto repeated = std::ranges::unique(sessions.heard);
  sessions.heard.erase(repeated.begin(), repeated.end());
  return PhaseReport{{"phase", "float"},
                     {"clients", floated.size()},
                     {"answered_at_the_new_port", sessions.heard.size()},
                     {"disconnected", sessions.causes}};
}

Result<PhaseReport> run_renegotiate(const PhaseOrder& order, LoadLoop& loop) {
  if (auto known = order.allow({"clients", "timeout"}); !known) {
    return std::unexpected(known.error());
  }
  const std::vector<std::size_t> chosen = connected_clients(loop, order.count("clients", kAll));
  Sessions sessions(loop);
  const Instant end = sessions.began + order.seconds("timeout", 60s);
  std::size_t started = 0;
  Instant last = sessions.began;
  std::size_t seen = 0;
  while (sessions.rekeyed + sessions.disconnected < chosen.size() && monotonic_now() < end) {
    for (std::size_t i = 0; started < chosen.size() && i < kStartsPerTurn; ++i, ++started) {
      const Now now = read_clocks();
      loop.client(chosen[started]).core().renegotiate(now);
      loop.settle(chosen[started], now);
    }
    loop.turn(started < chosen.size() ? monotonic_now() : monotonic_now() + kTick);
    if (std::exchange(seen, sessions.rekeyed) != sessions.rekeyed) last = monotonic_now();
  }
  const double took = in_seconds(last - sessions.began);
  return PhaseReport{
      {"phase", "renegotiate"},
      {"clients", chosen.size()},
      {"rekeyed", sessions.rekeyed},
      {"seconds", took},
      {"rekeys_per_second", took > 0 ? static_cast<double>(sessions.rekeyed) / took : 0.0},
      {"time_to_rekey", describe(sessions.rekey_times)},
      {"disconnected", sessions.causes}};
}

Result<PhaseReport> run_reconnect(const PhaseOrder& order, LoadLoop& loop) {
  if (auto known = order.allow({"timeout", "spread"}); !known) {
    return std::unexpected(known.error());
  }
  const std::size_t wanted = connected_clients(loop, kAll).size();
  const Duration spread = order.seconds("spread", 1s);
  Sessions sessions(loop);
  std::vector<std::size_t> thrown_out;
  sessions.thrown_out = &thrown_out;
  SystemRandom random;
  std::priority_queue<std::pair<Instant, std::size_t>, std::vector<std::pair<Instant, std::size_t>>,
                      std::greater<>>
      waiting;
  const Instant end = sessions.began + order.seconds("timeout", 120s);
  std::optional<Instant> first_lost;
  while (monotonic_now() < end && sessions.connected < wanted) {
    const Now now = read_clocks();
    for (const std::size_t number : std::exchange(thrown_out, {})) {
      if (!first_lost) first_lost = now.instant;
      const auto bound = static_cast<std::uint64_t>(spread.count()) + 1;
      const Duration wait{static_cast<std::int64_t>(random_below(random, bound))};
      waiting.emplace(now.instant + wait, number);
    }
    while (!waiting.empty() && waiting.top().first <= now.instant) {
      const std::size_t number = waiting.top().second;
      waiting.pop();
      if (!loop.start(number, read_clocks())) thrown_out.push_back(number);
    }
    loop.turn(now.instant + kTick);
  }
  return PhaseReport{
      {"phase", "reconnect"},
      {"clients", wanted},
      {"lost", sessions.causes},
      {"reconnected", sessions.connected},
      {"seconds_first_lost_to_all_back",
       first_lost ? in_seconds(sessions.last_connected - *first_lost) : 0.0},
      {"seconds_phase_begin_to_all_back", in_seconds(sessions.last_connected - sessions.began)},
      {"time_to_connect", describe(sessions.connect_times)}};
}

Result<PhaseReport> run_leave(const PhaseOrder& order, LoadLoop& loop) {
  if (auto known = order.allow({"clients", "seconds"}); !known) {
    return std::unexpected(known.error());
  }
  const std::vector<std::size_t> chosen = connected_clients(loop, order.count("clients", kAll));
  const Duration grace = order.seconds("seconds", 3s);
  Sessions sessions(loop);
  for (const std::size_t number : chosen) {
    if (grace == Duration{0}) {
      loop.abandon(number);
      continue;
    }
    const Now now = read_clocks();
    loop.client(number).core().leave(now);
    loop.settle(number, now);
  }
  const Instant end = sessions.began + grace;
  while (sessions.disconnected < chosen.size() && monotonic_now() < end) loop.turn(end);
  for (const std::size_t number : chosen) loop.abandon(number);
  return PhaseReport{
      {"phase", "leave"}, {"clients", chosen.size()}, {"said_goodbye", sessions.disconnected}};
}

}  // namespace ringway::loadgen
