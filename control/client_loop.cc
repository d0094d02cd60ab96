#include "control/client_loop.h"

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "tun/vnet_header.h"

namespace ringway {
namespace {

constexpr std::uint16_t kLinkGroup = 0;
constexpr std::uint16_t kTunGroup = 1;
constexpr std::size_t kLinkBudget = 4 << 20;
constexpr std::size_t kLinkTrainBudget = 16 << 20;
constexpr std::size_t kTunBudget = 4 << 20;
constexpr std::size_t kSendBudget = 4 << 20;
constexpr std::size_t kSendTrainBudget = 16 << 20;
/// Control datagrams are this large whatever the MTU of the tunnel is.
constexpr std::size_t kDatagramSizeMin = 2048;
constexpr std::size_t kDatagramOverheadMax = 128;
/// What the length fields of UDP and of IP can say.
constexpr std::size_t kTrainSizeMax = 65'535;
constexpr std::size_t kSuperPacketSizeMax = 65'535;
/// How many single reads wait at the TUN where a read cannot be multishot.
constexpr std::size_t kSingleTunReads = 16;
constexpr Duration kTick = 1s;
/// After so many ticks, trains that were refused are tried again.
constexpr unsigned kTicksPerRefusal = 600;
/// How soon a full send buffer is asked again.
constexpr Duration kRetry = 1ms;
/// After a failed submission, so that want of memory does not become a spin (R16).
constexpr std::chrono::milliseconds kPauseAfterFailure{5};
/// Cancelled requests complete at once. If they do not, ending the process is all that is safe.
constexpr int kDrainTurnsMax = 100;
constexpr Duration kDrainWait = 50ms;

std::size_t datagram_size_max(const ClientLoop::Settings& settings) {
  return std::max(kDatagramSizeMin, settings.tun_mtu_max + kDatagramOverheadMax);
}

ReceiveBuffers::Settings link_buffer_settings(const ClientLoop::Settings& settings) {
  const bool gro = settings.offloads.link_gro;
  return {.group = kLinkGroup,
          .budget = gro ? kLinkTrainBudget : kLinkBudget,
          .buffer_size = kReceiveHeadroom + (gro ? kTrainSizeMax : datagram_size_max(settings)),
          .header_size = kReceiveHeadroom};
}

/// One byte more than the largest frame, so that a larger one shows.
ReceiveBuffers::Settings tun_buffer_settings(const ClientLoop::Settings& settings) {
  const TunOffloads& offloads = settings.offloads.tun;
  const std::size_t largest =
      offloads.tcp || offloads.udp ? kSuperPacketSizeMax : settings.tun_mtu_max;
  return {.group = kTunGroup,
          .budget = kTunBudget,
          .buffer_size = kVnetHeaderSize + largest + 1,
          .header_size = kVnetHeaderSize};
}

}  // namespace

ClientLoop::ClientLoop(const Settings& settings, ClientCore& core, Counters& counters)
    : settings_(settings),
      core_(core),
      counters_(counters),
      server_{.remote = settings.server, .local = {}},
      link_buffers_(link_buffer_settings(settings)),
      tun_buffers_(tun_buffer_settings(settings)),
      sender_({.budget = settings.offloads.link_gso ? kSendTrainBudget : kSendBudget,
               .datagram_size_max = datagram_size_max(settings),
               .gso = settings.offloads.link_gso,
               .segments_max = settings.offloads.link_gso_segments_max},
              settings.sockets) {
  RW_ASSERT(settings.sockets.size() == 1);
  receive_header_.msg_namelen = kSocketNameSize;
  receive_header_.msg_controllen = kSocketControlSize;
  link_pending_.reserve(link_buffers_.count());
  tun_pending_.reserve(tun_buffers_.count());
}

Result<void> ClientLoop::set_up() {
  // As in WorkerLoop::set_up(): every request that can be in flight, four times (E02).
  const std::size_t in_flight_max = link_buffers_.count() + tun_buffers_.count() + sender_.count() +
                                    TunWriter::kWritesMax + kSingleTunReads + 4;
  if (Result<void> opened =
          ring_.open({.completion_count = static_cast<unsigned>(4 * in_flight_max)});
      !opened) {
    return opened;
  }
  if (Result<void> opened = link_buffers_.open(ring_); !opened) return opened;
  if (Result<void> opened = tun_buffers_.open(ring_); !opened) return opened;
  multishot_reads_ = settings_.multishot_tun_reads && ring_.has_multishot_read();
  now_ = read_clocks();
  next_tick_ = now_.instant + kTick;
  return {};
}

void ClientLoop::attach(const Tun& tun) {
  RW_ASSERT(!tun_writer_);
  RW_ASSERT(tun.mtu <= settings_.tun_mtu_max);
  tun_ = tun;
  tun_writer_.emplace(TunWriter::Settings{.fd = tun.fd, .offloads = tun.offloads}, counters_);
  tun_reads_.resize(multishot_reads_ ? 1 : kSingleTunReads);
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
  if (tun_writer_) tun_writer_->submit(ring_);
  release_written();
  if (sender_.submit(ring_)) counters_.add(Counter::LinkWaits);
  arm_requests();
}

Duration ClientLoop::wait_time() const {
  if (completion_count_ == completions_.size()) return Duration{0};
  Instant wanted = next_tick_;
  if (const auto timeout = core_.poll_timeout()) wanted = std::min(wanted, *timeout);
  if (sender_.is_waiting()) wanted = std::min(wanted, now_.instant + kRetry);
  return std::clamp(wanted - now_.instant, Duration{0}, Duration{kTick});
}

void ClientLoop::act_on(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive: on_link_receive(completion); return;
    case Operation::LinkSend: on_link_sent(completion); return;
    case Operation::LinkWritable: sender_.note_writable(completion.tag); return;
    case Operation::TunRead: on_tun_read(completion); return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: tun_writer_->note_written(completion, ring_); return;
    case Operation::Wake: wake_.note_ended(completion.result, true); return;
    case Operation::Cancel: return;
  }
}

void ClientLoop::tick() {
  if (now_.instant < next_tick_) return;
  next_tick_ = now_.instant + kTick;
  link_receive_.note_tick();
  wake_.note_tick();
  for (LastingRequest& read : tun_reads_) read.note_tick();
  if (tun_writer_) tun_writer_->note_tick();
  if (++ticks_ % kTicksPerRefusal == 0) sender_.forget_refusals();
}

void ClientLoop::arm_requests() {
  link_buffers_.publish();
  if (link_buffers_.available() > 0) link_receive_.note_buffers_available();
  if (link_receive_.is_due() &&
      ring_.receive_messages({.operation = Operation::LinkReceive}, settings_.sockets[0].fd(),
                             receive_header_, kLinkGroup)) {
    link_receive_.note_armed();
    counters_.add(Counter::LinkReceiveArmed);
  }
  arm_tun_reads();
  if (settings_.wake_fd >= 0 && wake_.is_due() &&
      ring_.wait_readable({.operation = Operation::Wake}, settings_.wake_fd)) {
    wake_.note_armed();
  }
}

void ClientLoop::shut_down() {
  bool cancelled = false;
  for (int drain = 0; drain < kDrainTurnsMax && ring_.in_flight() > 0; ++drain) {
    if (!cancelled) cancelled = ring_.cancel_all({.operation = Operation::Cancel});
    static_cast<void>(ring_.submit_and_wait(kDrainWait));
    completion_count_ = ring_.collect(completions_);
    for (std::size_t i = 0; i < completion_count_; ++i) reclaim(completions_[i]);
  }
}

void ClientLoop::reclaim(const Completion& completion) {
  switch (completion.tag.operation) {
    case Operation::LinkReceive:
      if (completion.buffer) static_cast<void>(link_buffers_.take(*completion.buffer, 0));
      return;
    case Operation::TunRead:
      if (completion.buffer) static_cast<void>(tun_buffers_.take(*completion.buffer, 0));
      return;
    case Operation::LinkSend: on_link_sent(completion); return;
    case Operation::TunWrite:
    case Operation::TunWriteAgain: tun_writer_->note_written(completion, ring_); return;
    case Operation::LinkWritable:
    case Operation::Wake:
    case Operation::Cancel: return;
  }
}

}  // namespace ringway
