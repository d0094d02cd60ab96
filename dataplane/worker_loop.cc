#include "dataplane/worker_loop.h"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "dataplane/control_intake.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

/// Ends a wait for a batch early; what one receive or read brings meanwhile counts once.
constexpr unsigned kGatheredCompletions = 64;
/// What an IP packet can say of its length.
constexpr std::size_t kScratchSize = 65'535;

/// Nothing where there is no TCP listener.
std::unique_ptr<LinkStreams> make_streams(const WorkerSettings& settings,
                                          std::size_t datagram_size_max, Counters& counters) {
  if (settings.tcp_listeners.empty()) return nullptr;
  const LinkStreams::Settings wanted{
      .group = kStreamGroup,
      .receive_budget = settings.limits.stream_receive_size,
      .datagram_size_max = datagram_size_max,
      .self = settings.datapath.self,
      .worker_count = settings.datapath.worker_count,
      .first_listener = static_cast<std::uint8_t>(settings.sockets.size()),
      .streams_max = settings.limits.streams_max,
      .half_open_max = settings.limits.half_open_streams_max,
      .hand_window = settings.hand_window};
  return std::make_unique<LinkStreams>(wanted, settings.tcp_listeners, counters);
}

}  // namespace

WorkerLoop::WorkerLoop(const WorkerSettings& settings, WorkerPorts& ports,
                       const Surroundings& around)
    : settings_(settings),
      ports_(ports),
      around_(around),
      datagram_size_max_(datagram_size_max(settings.datapath.tun_mtu)),
      receiver_(
          {.group = kLinkGroup,
           .budget = settings.sockets.empty() ? 0 : settings.limits.link_receive(settings.offloads),
           .datagram_size_max = datagram_size_max_,
           .gro = settings.offloads.link_gro},
          settings.sockets, ports.counters),
      reader_({.group = kTunGroup,
               .budget = settings.limits.tun_receive(settings.offloads.tun),
               .packet_size_max = settings.datapath.tun_mtu,
               .offloads = settings.offloads.tun,
               .multishot = settings.multishot_tun_reads},
              ports.counters),
      sender_({.budget = settings.sockets.empty() ? 0 : settings.limits.send(settings.offloads),
               .datagram_size_max = datagram_size_max_,
               .gso = settings.offloads.link_gso,
               .segments_max = settings.offloads.link_gso_segments_max},
              settings.sockets),
      answers_({.budget = settings.sockets.empty()
                              ? 0
                              : settings.limits.answers_max * ControlIntake::kAnswerSizeMax,
                .datagram_size_max = ControlIntake::kAnswerSizeMax,
                .send_operation = Operation::AnswerSend,
                .writable_operation = Operation::AnswerWritable},
               settings.sockets),
      streams_(make_streams(settings, datagram_size_max_, ports.counters)),
      taken_over_(settings.limits.taken_over_size / (kReceiveHeadroom + datagram_size_max_) + 1,
                  kReceiveHeadroom + datagram_size_max_),
      outbox_({.own_v4 = settings.datapath.own_v4, .own_v6 = settings.datapath.own_v6}, taken_over_,
              ports.counters),
      writer_({.fd = settings.tun_queue.get(), .offloads = settings.offloads.tun}, ports.counters),
      datapath_(settings.datapath),
      scratch_(kScratchSize),
      feeder_({.socket_count = settings.sockets.size(),
               .relay_budget = settings.limits.relayed_size,
               .packet_size_max = datagram_size_max_},
              {.datapath = datapath_,
               .sender = sender_,
               .streams = streams_.get(),
               .read_buffers = reader_.buffers(),
               .counters = ports.counters,
               .outbox = outbox_}),
      bell_due_(settings.datapath.worker_count),
      pacer_(settings.pacing) {
  peers_.reserve(settings.datapath.sessions_max);
}

Result<void> WorkerLoop::set_up() {
  // Every buffer can be filled or sent from once, and the TUN writer says how many writes it has;
  // a receive and a wait for room on each listener, the TUN reads, the bell and a cancellation come
  // on top. Four times as many completions cannot overflow (E02).
  const std::size_t in_flight_max = receiver_.count() + reader_.count() + sender_.count() +
                                    answers_.count() + TunWriter::kWritesMax +
                                    3 * settings_.sockets.size() + TunReader::kSingleReads + 2;
  // A stream's requests complete once, but for its accepts.
  const std::size_t of_streams = streams_ ? 2 * streams_->in_flight_max() : 0;
  const RingSettings wanted{
      .completion_count = static_cast<unsigned>(4 * in_flight_max + of_streams), .asleep = true};
  if (Result<void> opened = ring_.open(wanted); !opened) return opened;
  if (Result<void> opened = receiver_.open(ring_); !opened) return opened;
  if (Result<void> opened = reader_.open(ring_); !opened) return opened;
  if (streams_) {
    if (Result<void> opened = streams_->open(ring_); !opened) return opened;
  }
  if (Result<void> confined = ring_.confine(); !confined) return confined;
  reader_.attach(settings_.tun_queue.get());
  now_ = monotonic_now();
  next_tick_ = now_ + kTick;
  datapath_.set_wall(wall_now());
  arm_requests();
  return {};
}

void WorkerLoop::run() {
  while (!stopping_) turn();
  shut_down();
}

void WorkerLoop::turn() {
  const int failure = wait();
  now_ = monotonic_now();
  completion_count_ = ring_.collect(completions_);
  for (PacketRing* lane : around_.lanes.from_others) {
    if (lane != nullptr) lane->observe();
  }
  ports_.from_control.observe();
  drain_commands();

  for (std::size_t i = 0; i < completion_count_; ++i) act_on(completions_[i]);
  release_written();
  drain_link();
  if (streams_) drain_streams();
  for (PacketRing* lane : around_.lanes.from_others) {
    if (lane == nullptr) continue;
    while (const auto record = writer_.has_room() ? lane->front() : std::nullopt) {
      take_over(*record);
      lane->pop();
    }
  }
  drain_outbox();
  feeder_.drain(now_);

  note_load();
  run_timers();
  flush();
  ports_.counters.add(Counter::LoopTurns);
  if (failure != 0) {
    ports_.counters.add(Counter::RingFailures);
    if (completion_count_ == 0) std::this_thread::sleep_for(kPauseAfterFailure);
  }
}

/// What the last turn prepared is submitted first in any case: waiting for a batch delays no
/// answer.
int WorkerLoop::wait() {
  if (pacer_.spins(now_)) {
    ports_.counters.add(Counter::SpinTurns);
    return ring_.submit_and_look();
  }
  if (pacer_.delay() == Duration{0}) return ring_.submit_and_wait(wait_time());
  ports_.counters.add(Counter::GatherTurns);
  return ring_.submit_and_wait(std::min(wait_time(), pacer_.delay()), kGatheredCompletions);
}

void WorkerLoop::note_load() {
  TurnLoad load{.now = now_};
  for (std::size_t i = 0; i < completion_count_; ++i) {
    if (!completions_[i].buffer) continue;
    if (completions_[i].tag.operation == Operation::LinkReceive) link_was_active_ = true;
    ++load.arrivals;
    load.bytes += static_cast<std::uint32_t>(std::max(completions_[i].result, std::int32_t{0}));
  }
  pacer_.note_turn(load);
}

Duration WorkerLoop::wait_time() const {
  if (completion_count_ == completions_.size()) return Duration{0};
  if (feeder_.is_due()) return Duration{0};
  const Instant wanted = std::min(datapath_.poll_timeout(), next_tick_);
  Duration limit = sender_.is_waiting() ? kFullSocketWait : kTick;
  if (feeder_.has_set_aside()) limit = std::min(limit, LinkFeeder::kSojournMax);
  return std::clamp(wanted - now_, Duration{0}, limit);
}

void WorkerLoop::drain_commands() {
  if (around_.stop_requested.load(std::memory_order_acquire)) stopping_ = true;
  while (std::optional<WorkerCommand> command = ports_.commands.pop()) {
    handle_command(std::move(*command));
  }
}

void WorkerLoop::handle_command(WorkerCommand command) {
  if (std::holds_alternative<Stop>(command)) {
    stopping_ = true;
    return;
  }
  if (const auto* added = std::get_if<AddSession>(&command)) {
    RW_ASSERT(added->endpoint.listener < settings_.sockets.size() + settings_.tcp_listeners.size());
    keep_traffic_of(added->peer_id);
    if (streams_ && added->endpoint.is_tcp()) streams_->prove(added->endpoint.connection);
  } else if (const auto* known = std::get_if<KnowChannel>(&command)) {
    note_known(*known);
  } else if (const auto* removed = std::get_if<RemoveSession>(&command)) {
    if (std::erase(peers_, removed->peer_id) > 0) around_.traffic.clear(removed->peer_id);
  } else if (std::holds_alternative<RefuseEndpoint>(command)) {
    ports_.counters.add(Counter::FloatsTakenBack);
  }
  datapath_.handle_command(std::move(command), now_);
  transmit_due_ = true;
}

/// A connection whose client waits for a verdict has no deadline of ours.
void WorkerLoop::note_known(const KnowChannel& known) {
  if (!streams_ || !known.endpoint.is_tcp()) return;
  if (known.is_established) {
    streams_->prove(known.endpoint.connection);
  } else if (known.is_awaited) {
    streams_->await(known.endpoint.connection);
  }
}

/// Sessions of other workers are announced here too when they speak DATA_V1; their rows are not
/// ours.
void WorkerLoop::keep_traffic_of(PeerId peer) {
  if (owner_of(peer, settings_.datapath.worker_count) != settings_.datapath.self) return;
  if (std::ranges::find(peers_, peer) == peers_.end()) peers_.push_back(peer);
}

void WorkerLoop::act_on(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive: receiver_.note_received(completion); return;
    case Operation::LinkSend: note_sent(completion); return;
    case Operation::LinkWritable: sender_.note_writable(completion.tag); return;
    case Operation::AnswerSend: answers_.note_sent(completion).count_in(ports_.counters); return;
    case Operation::AnswerWritable: answers_.note_writable(completion.tag); return;
    case Operation::TunRead:
      if (const auto frame = reader_.note_read(completion)) handle_frame(*frame);
      return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: writer_.note_written(completion, ring_); return;
    case Operation::StreamAccept:
    case Operation::StreamReceive:
    case Operation::StreamSend: streams_->note(completion, now_); return;
    case Operation::Wake: bell_.note_ended(completion.result, true); return;
    case Operation::StreamConnect:
    case Operation::Cancel: return;
  }
}

void WorkerLoop::note_sent(const Completion& completion) {
  const LinkSender::Outcome outcome = sender_.note_sent(completion);
  outcome.count_in(ports_.counters);
  if (outcome.too_big_size == 0) return;
  datapath_.note_refused(outcome.too_big_for, outcome.too_big_size, now_);
}

void WorkerLoop::run_timers() {
  if (now_ >= datapath_.poll_timeout()) {
    datapath_.handle_timeout(now_);
    transmit_due_ = true;
  }
  if (now_ < next_tick_) return;
  next_tick_ = now_ + kTick;
  datapath_.set_wall(wall_now());
  publish_traffic();
  ports_.counters.add(datapath_.take_path_counts());
  compare_cores();
  receiver_.note_tick();
  if (streams_) streams_->note_tick(now_);
  reader_.note_tick();
  bell_.note_tick();
  writer_.note_tick();
  if (++ticks_ % kTicksPerRefusal == 0) sender_.forget_refusals();
}

/// Whether the NIC's interrupts are where the worker is: docs/BARE_METAL.md. A sample a second
/// shows what is wrong in the set-up, and costs a system call a socket.
void WorkerLoop::compare_cores() {
  if (!link_was_active_) return;
  link_was_active_ = false;
  const int own = ::sched_getcpu();
  for (const UdpSocket& socket : settings_.sockets) {
    const std::optional<unsigned> core = socket.incoming_core();
    if (core && static_cast<int>(*core) != own) ports_.counters.add(Counter::LinkForeignCpu);
  }
}

void WorkerLoop::publish_traffic() {
  for (const PeerId peer : peers_) {
    const auto traffic = datapath_.traffic_of(peer);
    if (!traffic) continue;
    around_.traffic.publish(peer, {.bytes_received = traffic->bytes_received,
                                   .bytes_sent = traffic->bytes_sent,
                                   .payload_bytes = traffic->payload_bytes,
                                   .last_received = traffic->last_received,
                                   .path_mtu = traffic->path_mtu,
                                   .path_is_proven = traffic->path_is_proven});
  }
}

void WorkerLoop::flush() {
  transmit_due_ = transmit_due_ || datapath_.has_transmit();
  while (transmit_due_) {
    if (!sender_.has_room()) break;  // It stays due, and sends that complete make room.
    const std::optional<Verdict> verdict = datapath_.poll_transmit(scratch_, now_);
    if (verdict) {
      send(*verdict);
    } else {
      transmit_due_ = false;
    }
  }
  // A report stays in the core until there is room for it.
  while (ports_.reports.has_room()) {
    std::optional<WorkerReport> report = datapath_.poll_report();
    if (!report) break;
    if (std::holds_alternative<PeerFloated>(*report)) ports_.counters.add(Counter::PeerFloats);
    const bool pushed = ports_.reports.push(WorkerReport(*report));
    RW_ASSERT(pushed);
    control_bell_due_ = true;
  }
  writer_.submit(ring_);
  release_written();
  if (sender_.submit(ring_)) ports_.counters.add(Counter::LinkWaits);
  static_cast<void>(answers_.submit(ring_));
  if (streams_) {
    report_ended();
    streams_->submit(ring_);
  }
  arm_requests();
  ring_bells();
  ports_.counters.publish_core_drops(datapath_.drops());
  if (const std::uint32_t overflows = ring_.overflow_count(); overflows != overflows_seen_) {
    overflows_seen_ = overflows;
    ports_.counters.add(Counter::CompletionOverflows);
  }
}

void WorkerLoop::arm_requests() {
  receiver_.arm(ring_);
  reader_.arm(ring_, feeder_.wanted_reads(now_));
  if (bell_.is_due() &&
      ring_.read({.operation = Operation::Wake}, around_.bell.fd(), bell_count_)) {
    bell_.note_armed();
  }
}

void WorkerLoop::ring_bells() {
  for (std::size_t worker = 0; worker < bell_due_.size(); ++worker) {
    if (!bell_due_[worker]) continue;
    bell_due_[worker] = false;
    around_.lanes.bells[worker]->ring();
  }
  if (control_bell_due_) around_.control_bell.ring();
  control_bell_due_ = false;
}

void WorkerLoop::shut_down() {
  ring_.drain([this](const Completion& completion) { reclaim(completion); });
  publish_traffic();
  ports_.counters.publish_core_drops(datapath_.drops());
}

void WorkerLoop::reclaim(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive: receiver_.reclaim(completion); return;
    case Operation::TunRead: reader_.reclaim(completion); return;
    case Operation::LinkSend: sender_.note_sent(completion).count_in(ports_.counters); return;
    case Operation::AnswerSend: answers_.note_sent(completion).count_in(ports_.counters); return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: writer_.note_written(completion, ring_); return;
    case Operation::StreamAccept:
    case Operation::StreamReceive:
    case Operation::StreamSend: streams_->reclaim(completion); return;
    case Operation::LinkWritable:
    case Operation::AnswerWritable:
    case Operation::StreamConnect:
    case Operation::Wake:
    case Operation::Cancel: return;
  }
}

}  // namespace ringway
