#include "control/client_loop.h"

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "dataplane/worker_limits.h"

namespace ringway {
namespace {

/// Answers that are being written to the TUN.
constexpr std::size_t kAnswersMax = 64;

}  // namespace

ClientLoop::ClientLoop(const Settings& settings, ClientCore& core, Counters& counters)
    : settings_(settings),
      core_(core),
      counters_(counters),
      server_{.remote = settings.server, .local = {}},
      receiver_(
          {.group = kLinkGroup,
           .budget =
               settings.stream != nullptr ? 0 : WorkerLimits{}.link_receive(settings.offloads),
           .datagram_size_max = datagram_size_max(settings.tun_mtu_max),
           .gro = settings.offloads.link_gro},
          settings.sockets, counters),
      reader_({.group = kTunGroup,
               .budget = WorkerLimits{}.tun_receive(settings.offloads.tun),
               .packet_size_max = settings.tun_mtu_max,
               .offloads = settings.offloads.tun,
               .multishot = settings.multishot_tun_reads},
              counters),
      sender_({.budget = settings.stream != nullptr ? 0 : WorkerLimits{}.send(settings.offloads),
               .datagram_size_max = datagram_size_max(settings.tun_mtu_max),
               .gso = settings.offloads.link_gso,
               .segments_max = settings.offloads.link_gso_segments_max},
              settings.sockets),
      answers_(kAnswersMax, Outbox::kHeadroom + kTooBigSizeMax),
      outbox_({}, answers_, counters),
      scratch_(datagram_size_max(settings.tun_mtu_max)) {
  RW_ASSERT(settings.sockets.size() == (settings.stream != nullptr ? 0 : 1));
  tun_pending_.reserve(reader_.count());
}

Result<void> ClientLoop::set_up() {
  // As in WorkerLoop::set_up(): every request that can be in flight, four times (E02).
  const std::size_t in_flight_max = receiver_.count() + reader_.count() + sender_.count() +
                                    TunWriter::kWritesMax + TunReader::kSingleReads + 6;
  if (Result<void> opened =
          ring_.open({.completion_count = static_cast<unsigned>(4 * in_flight_max)});
      !opened) {
    return opened;
  }
  if (Result<void> opened = receiver_.open(ring_); !opened) return opened;
  if (Result<void> opened = reader_.open(ring_); !opened) return opened;
  now_ = read_clocks();
  if (settings_.stream != nullptr) {
    make_stream(*settings_.stream);
    if (Result<void> opened = stream_->open(ring_); !opened) return opened;
  }
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
  if (stream_) drain_stream();
  drain_tun();
  drain_outbox();
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
  while (has_room_for_control()) {
    const std::optional<Bytes> datagram = core_.poll_transmit(scratch_, now_);
    if (!datagram) break;
    if (!send(*datagram)) drop(Drop::NoBuffer);
  }
  if (writer_) writer_->submit(ring_);
  release_written();
  if (sender_.submit(ring_)) counters_.add(Counter::LinkWaits);
  if (stream_) stream_->submit(ring_);
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
    case Operation::LinkSend: note_sent(completion); return;
    case Operation::LinkWritable: sender_.note_writable(completion.tag); return;
    case Operation::TunRead:
      if (const auto frame = reader_.note_read(completion)) tun_pending_.push_back(*frame);
      return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: writer_->note_written(completion, ring_); return;
    case Operation::StreamReceive:
    case Operation::StreamSend: stream_->note(completion, now_.instant); return;
    case Operation::Wake: wake_.note_ended(completion.result, true); return;
    case Operation::AnswerSend:
    case Operation::AnswerWritable:
    case Operation::StreamAccept:
    case Operation::StreamConnect:
    case Operation::Cancel: return;
  }
}

void ClientLoop::note_sent(const Completion& completion) {
  const LinkSender::Outcome outcome = sender_.note_sent(completion);
  outcome.count_in(counters_);
  if (outcome.too_big_size != 0) core_.note_refused(outcome.too_big_size, now_);
}

void ClientLoop::tick() {
  if (now_.instant < next_tick_) return;
  next_tick_ = now_.instant + kTick;
  counters_.add(core_.take_path_counts());
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
    case Operation::StreamReceive:
    case Operation::StreamSend: stream_->reclaim(completion); return;
    case Operation::LinkWritable:
    case Operation::AnswerSend:
    case Operation::AnswerWritable:
    case Operation::StreamAccept:
    case Operation::StreamConnect:
    case Operation::Wake:
    case Operation::Cancel: return;
  }
}

}  // namespace ringway
