#include "control/client_loop.h"

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "dataplane/worker_limits.h"

namespace ringway {
ClientLoop::ClientLoop(const Settings& settings, ClientCore& core, Counters& counters)
    : settings_(settings),
      core_(core),
      counters_(counters),
      server_{.remote = settings.server, .local = {}},
      receiver_({.group = kLinkGroup,
                 .budget = WorkerLimits{}.link_receive(settings.offloads),
                 .datagram_size_max = datagram_size_max(settings.tun_mtu_max),
                 .gro = settings.offloads.link_gro},
                settings.sockets, counters),
      reader_({.group = kTunGroup,
               .budget = WorkerLimits{}.tun_receive(settings.offloads.tun),
               .packet_size_max = settings.tun_mtu_max,
               .offloads = settings.offloads.tun,
               .multishot = settings.multishot_tun_reads},
              counters),
      sender_({.budget = WorkerLimits{}.send(settings.offloads),
               .datagram_size_max = datagram_size_max(settings.tun_mtu_max),
               .gso = settings.offloads.link_gso,
               .segments_max = settings.offloads.link_gso_segments_max},
              settings.sockets) {
  RW_ASSERT(settings.sockets.size() == 1);
  tun_pending_.reserve(reader_.count());
}

Result<void> ClientLoop::set_up() {
  // As in WorkerLoop::set_up(): every request that can be in flight, four times (E02).
  const std::size_t in_flight_max = receiver_.count() + reader_.count() + sender_.count() +
                                    TunWriter::kWritesMax + TunReader::kSingleReads + 4;
  if (Result<void> opened =
          ring_.open({.completion_count = static_cast<unsigned>(4 * in_flight_max)});
      !opened) {
    return opened;
  }
  if (Result<void> opened = receiver_.open(ring_); !opened) return opened;
  if (Result<void> opened = reader_.open(ring_); !opened) return opened;
  now_ = read_clocks();
  next_tick_ = now_.instant + kTick;
  return {};
}

void ClientLoop::attach(const Tun& tun) {
  RW_ASSERT(!writer_);
  RW_ASSERT(tun.mtu <= settings_.tun_mtu_max);
  tun_ = tun;
  writer_.emplace(TunWriter::Settings{.fd = tun.fd, .offloads = tun.offloads}, counters_);
  reader_.attach(tun.fd);
}

void ClientLoop::turn() {
  flush();
  const int failure = ring_.submit_and_wait(wait_time());
  now_ = read_clocks();
  completion_count_ = ring_.collect(completions_);
  for (std::size_t i = 0; i < completion_count_; ++i) act_on(completions_[i]);
  release_written();
  drain_link();
  drain_tun();
  core_.handle_timeout(now_);
  tick();
  counters_.add(Counter::LoopTurns);
  if (failure != 0) {
    counters_.add(Counter::RingFailures);
    if (completion_count_ == 0) std::this_thread::sleep_for(kPauseAfterFailure);
  }
}

/// At the start of a turn and not at its end: what the owner did between turns is sent at once.
void ClientLoop::flush() {
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
  while (sender_.has_room()) {
    const std::optional<Bytes> datagram = core_.poll_transmit(scratch, now_);
    if (!datagram) break;
    if (!sender_.send(server_, *datagram)) drop(Drop::NoBuffer);
  }
  if (writer_) writer_->submit(ring_);
  release_written();
  if (sender_.submit(ring_)) counters_.add(Counter::LinkWaits);
  arm_requests();
}

Duration ClientLoop::wait_time() const {
  if (completion_count_ == completions_.size()) return Duration{0};
  Instant wanted = next_tick_;
  if (const auto timeout = core_.poll_timeout()) wanted = std::min(wanted, *timeout);
  if (sender_.is_waiting()) wanted = std::min(wanted, now_.instant + kFullSocketWait);
  return std::clamp(wanted - now_.instant, Duration{0}, Duration{kTick});
}

void ClientLoop::act_on(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive: receiver_.note_received(completion); return;
    case Operation::LinkSend: sender_.note_sent(completion).count_in(counters_); return;
    case Operation::LinkWritable: sender_.note_writable(completion.tag); return;
    case Operation::TunRead:
      if (const auto frame = reader_.note_read(completion)) tun_pending_.push_back(*frame);
      return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: writer_->note_written(completion, ring_); return;
    case Operation::Wake: wake_.note_ended(completion.result, true); return;
    case Operation::Cancel: return;
  }
}

void ClientLoop::tick() {
  if (now_.instant < next_tick_) return;
  next_tick_ = now_.instant + kTick;
  receiver_.note_tick();
  reader_.note_tick();
  wake_.note_tick();
  if (writer_) writer_->note_tick();
  if (++ticks_ % kTicksPerRefusal == 0) sender_.forget_refusals();
}

void ClientLoop::arm_requests() {
  receiver_.arm(ring_);
  reader_.arm(ring_);
  if (settings_.wake_fd >= 0 && wake_.is_due() &&
      ring_.wait_readable({.operation = Operation::Wake}, settings_.wake_fd)) {
    wake_.note_armed();
  }
}

void ClientLoop::shut_down() {
  ring_.drain([this](const Completion& completion) { reclaim(completion); });
}

void ClientLoop::reclaim(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive: receiver_.reclaim(completion); return;
    case Operation::TunRead: reader_.reclaim(completion); return;
    case Operation::LinkSend: sender_.note_sent(completion).count_in(counters_); return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: writer_->note_written(completion, ring_); return;
    case Operation::LinkWritable:
    case Operation::Wake:
    case Operation::Cancel: return;
  }
}

}  // namespace ringway
