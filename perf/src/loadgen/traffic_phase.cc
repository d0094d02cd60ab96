#include "perf/src/loadgen/traffic_phase.h"

#include <algorithm>
#include <array>

#include "perf/src/loadgen/probe.h"
#include "perf/src/loadgen/sequence_check.h"

namespace ringway::loadgen {
namespace {

struct TrafficPlan {
  std::size_t client_count = 10;
  std::size_t packets_per_second = 0;
  std::size_t window = 32;
  std::size_t packet_size = 512;
  std::uint16_t answers = 1;
  bool inner_v6 = false;
  Duration length{5s};
};

/// Inner packets that fit every tunnel of MTU 1500.
constexpr std::size_t kPacketSizeMax = 1500;
/// A window that has not moved for so long has lost its packets, and is opened anew.
constexpr Duration kWindowTimeout = 200ms;
/// After the last packet: what is on the way arrives, and the counts of the echo with it.
constexpr Duration kDrain = 500ms;
constexpr unsigned kClosingProbes = 3;

/// One client's side of the traffic.
struct Flow {
  std::size_t client = 0;
  ProbePath path;
  std::uint64_t sent = 0;
  std::size_t outstanding = 0;
  Instant last_heard;
  SequenceCheck down;
  /// The newest word of the echo.
  std::uint64_t down_sent = 0;
  std::uint32_t up_received = 0;
  std::uint32_t up_reordered = 0;
  std::uint32_t up_duplicated = 0;
};

class Traffic final : public LoadObserver {
 public:
  Traffic(const TrafficPlan& plan, LoadLoop& loop, std::vector<Flow> flows)
      : plan_(plan), loop_(loop), flows_(std::move(flows)), flow_of_(loop.size(), nullptr) {
    for (Flow& flow : flows_) flow_of_[flow.client] = &flow;
  }

  void on_event(std::size_t, const ClientEvent& event, Now) override {
    if (std::holds_alternative<ClientDisconnected>(event)) ++disconnected_;
  }
  void on_packet(std::size_t client, Bytes packet, Now now) override;
  PhaseReport run();

 private:
  void send(Flow& flow, std::uint16_t answers, Now now);
  void send_at_pace(Instant began, Instant now);
  void send_by_window(Flow& flow, Instant now);
  void drain();
  [[nodiscard]] PhaseReport report(Duration took);

  const TrafficPlan& plan_;
  LoadLoop& loop_;
  std::vector<Flow> flows_;
  std::vector<Flow*> flow_of_;
  const std::uint32_t run_ = static_cast<std::uint32_t>(monotonic_now().since_start.count() >> 10);
  std::size_t next_flow_ = 0;
  std::uint64_t paced_ = 0;
  std::uint64_t refused_ = 0;
  std::size_t disconnected_ = 0;
  bool is_closing_ = false;
  LatencyHistogram up_;
  LatencyHistogram down_;
  LatencyHistogram round_trip_;
};

void Traffic::on_packet(std::size_t client, Bytes packet, Now now) {
  Flow* const flow = flow_of_[client];
  const std::optional<Probe> probe = read_probe_packet(packet);
  if (flow == nullptr || !probe || probe->run != run_ || probe->client != client) return;
  flow->down.note(probe->down_number);
  flow->down_sent = std::max(flow->down_sent, probe->down_number + 1);
  if (probe->up_received >= flow->up_received) {
    flow->up_received = probe->up_received;
    flow->up_reordered = probe->up_reordered;
    flow->up_duplicated = probe->up_duplicated;
  }
  up_.add(Duration{probe->echoed_at - probe->sent_at});
  down_.add(now.instant.since_start - Duration{probe->echoed_at});
  round_trip_.add(now.instant.since_start - Duration{probe->sent_at});
  flow->last_heard = now.instant;
  if (flow->outstanding > 0 && probe->answer == 0) --flow->outstanding;
  if (plan_.packets_per_second == 0 && !is_closing_) send_by_window(*flow, now.instant);
}

void Traffic::send(Flow& flow, std::uint16_t answers, Now now) {
  std::array<std::uint8_t, kPacketSizeMax> buffer{};
  const MutableBytes packet = MutableBytes(buffer).first(plan_.packet_size);
  write_probe_packet(flow.path,
                     {.run = run_,
                      .client = static_cast<std::uint32_t>(flow.client),
                      .answers = answers,
                      .up_number = flow.sent,
                      .sent_at = now.instant.since_start.count()},
                     packet);
  ++flow.sent;
  if (!loop_.client(flow.client).send_packet(packet, now)) ++refused_;
}

void Traffic::send_at_pace(Instant began, Instant now) {
  const auto due = static_cast<std::uint64_t>(in_seconds(now - began) *
                                              static_cast<double>(plan_.packets_per_second));
  while (paced_ < due) {
    ++paced_;
    send(flows_[next_flow_], plan_.answers, read_clocks());
    next_flow_ = (next_flow_ + 1) % flows_.size();
  }
}

void Traffic::send_by_window(Flow& flow, Instant now) {
  if (now - flow.last_heard > kWindowTimeout) {
    flow.outstanding = 0;
    flow.last_heard = now;
  }
  while (flow.outstanding < plan_.window) {
    ++flow.outstanding;
    send(flow, plan_.answers, read_clocks());
  }
}

/// The closing probes ask for the echo's counts, so that they are known where answers were lost or
/// none were asked for.
void Traffic::drain() {
  is_closing_ = true;
  for (unsigned i = 0; i < kClosingProbes; ++i) {
    const Instant until = monotonic_now() + kDrain / kClosingProbes;
    while (monotonic_now() < until) loop_.turn(until);
    for (Flow& flow : flows_) send(flow, 1, read_clocks());
  }
  const Instant until = monotonic_now() + kDrain;
  while (monotonic_now() < until) loop_.turn(until);
}

PhaseReport Traffic::run() {
  loop_.observe(this);
  const Instant began = monotonic_now();
  const Instant end = began + plan_.length;
  const Duration tick =
      plan_.packets_per_second == 0
          ? Duration{10ms}
          : std::max(Duration{1s} / static_cast<std::int64_t>(plan_.packets_per_second),
                     Duration{50us});
  for (Instant now = began; now < end; now = monotonic_now()) {
    if (plan_.packets_per_second > 0) {
      send_at_pace(began, now);
    } else {
      for (Flow& flow : flows_) send_by_window(flow, now);
    }
    loop_.turn(std::min(end, now + tick));
  }
  const Duration took = monotonic_now() - began;
  PhaseReport summary = report(took);
  drain();
  // Rates are of the time proper, counts of everything.
  PhaseReport whole = report(took);
  whole["up"]["packets_per_second"] = summary["up"]["packets_per_second"];
  whole["down"]["packets_per_second"] = summary["down"]["packets_per_second"];
  loop_.observe(nullptr);
  return whole;
}

PhaseReport Traffic::report(Duration took) {
  struct Sum {
    std::uint64_t sent = 0, received = 0, reordered = 0, duplicated = 0;
  } up, down;
  for (const Flow& flow : flows_) {
    up.sent += flow.sent;
    up.received += flow.up_received;
    up.reordered += flow.up_reordered;
    up.duplicated += flow.up_duplicated;
    down.sent += flow.down_sent;
    down.received += flow.down.received();
    down.reordered += flow.down.reordered();
    down.duplicated += flow.down.duplicated();
  }
  const auto direction = [&](const Sum& sum, const LatencyHistogram& latency) {
    return PhaseReport{{"sent", sum.sent},
                       {"received", sum.received},
                       {"lost", sum.sent - std::min(sum.sent, sum.received)},
                       {"reordered", sum.reordered},
                       {"duplicated", sum.duplicated},
                       {"packets_per_second", static_cast<double>(sum.received) / in_seconds(took)},
                       {"latency", describe(latency)}};
  };
  return {{"phase", "traffic"},
          {"clients", flows_.size()},
          {"packet_size", plan_.packet_size},
          {"answers", plan_.answers},
          {"seconds", in_seconds(took)},
          {"up", direction(up, up_)},
          {"down", direction(down, down_)},
          {"round_trip", describe(round_trip_)},
          {"not_sent", refused_},
          {"disconnected", disconnected_}};
}

}  // namespace

Result<PhaseReport> run_traffic(const PhaseOrder& order, LoadLoop& loop,
                                const EchoAddresses& echo) {
  if (auto known =
          order.allow({"clients", "pps", "window", "size", "answers", "family", "seconds"});
      !known) {
    return std::unexpected(known.error());
  }
  const TrafficPlan plan{.client_count = order.count("clients", 10),
                         .packets_per_second = order.count("pps", 0),
                         .window = std::max<std::size_t>(order.count("window", 32), 1),
                         .packet_size = order.count("size", 512),
                         .answers = static_cast<std::uint16_t>(order.count("answers", 1)),
                         .inner_v6 = order.count("family", 4) == 6,
                         .length = order.seconds("seconds", 5s)};
  if (plan.answers == 0 && plan.packets_per_second == 0) {
    return fail("answers=0 needs a pps: without answers no window ever opens");
  }
  const std::optional<IpAddress>& target = plan.inner_v6 ? echo.v6 : echo.v4;
  if (!target) return fail("traffic needs an echo of the inner family", {}, "see --echo");

  std::vector<Flow> flows;
  for (const std::size_t number : connected_clients(loop, plan.client_count)) {
    const auto& own =
        plan.inner_v6 ? loop.client(number).inner_v6() : loop.client(number).inner_v4();
    if (!own) continue;
    Flow flow;
    flow.client = number;
    flow.path = {.from = *own, .to = *target};
    if (plan.packet_size < probe_overhead(flow.path) + Probe::kSize ||
        plan.packet_size > kPacketSizeMax) {
      return fail("size= is outside " + std::to_string(probe_overhead(flow.path) + Probe::kSize) +
                  " to 1500");
    }
    flows.push_back(flow);
  }
  if (flows.empty()) return fail("nobody is connected who has an address of the inner family");
  return Traffic(plan, loop, std::move(flows)).run();
}

}  // namespace ringway::loadgen
