#include "dataplane/worker.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "base/check.h"
#include "dataplane/worker_loop.h"

namespace ringway {
namespace {

/// Signals are the main thread's business.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

/// The kernel may end a sleep later than asked by this much, 50 us by default: as much as a worker
/// waits for a batch.
void sharpen_timers() { ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL); }

/// The kernel's struct sched_attr, whose header cannot be used beside <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size = 48;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

/// Where other work runs on the same core, a worker that has something to do shall not wait for the
/// end of somebody's slice of 3 ms. A short slice of its own makes the scheduler (EEVDF,
/// Linux 6.12) let it in at once; its share of the core stays the same. Older kernels take no
/// notice.
void ask_for_short_slices() {
  constexpr std::uint64_t kSliceNs = 100'000;
  SchedulingAttributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) != 0) return;
  attributes.runtime = kSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

Result<void> pin_to(unsigned core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (pthread_setaffinity_np(pthread_self(), sizeof cores, &cores) == 0) return {};
  return fail("cannot pin a worker to core " + std::to_string(core), {},
              "the process may not run there: see `taskset -p` and the unit's AllowedCPUs=");
}

}  // namespace

Worker::Worker(WorkerSettings settings, const WorkerLanes& lanes, const Wakeup& bell,
               const Wakeup& control_bell, PeerTrafficTable& traffic)
    : settings_(std::move(settings)),
      ports_{.commands = SpscQueue<WorkerCommand>(settings_.limits.command_count),
             .reports = SpscQueue<WorkerReport>(settings_.limits.report_count),
             .to_control = PacketRing(settings_.limits.control_ring_size),
             .newcomers = PacketRing(settings_.limits.newcomer_ring_size),
             .from_control = PacketRing(
                 settings_.tcp_listeners.empty() ? 0 : settings_.limits.from_control_size),
             .counters = {}},
      lanes_(lanes),
      bell_(bell),
      control_bell_(control_bell),
      traffic_(traffic) {
  const std::size_t listener_count = settings_.sockets.size() + settings_.tcp_listeners.size();
  RW_ASSERT(listener_count > 0);
  RW_ASSERT(listener_count <= 255);  // LinkEndpoint::listener is a byte.
  RW_ASSERT(settings_.tun_queue);
}

Worker::~Worker() {
  request_stop();
  join();
}

/// The ring belongs to the thread that makes it, so the thread does the set-up and says how it
/// went.
void Worker::live() {
  block_signals();
  sharpen_timers();
  ask_for_short_slices();
  pthread_setname_np(pthread_self(), ("worker-" + std::to_string(id().value)).c_str());
  if (settings_.core) outcome_ = pin_to(*settings_.core);
  WorkerLoop loop(settings_, ports_, {lanes_, bell_, control_bell_, traffic_, stop_requested_});
  if (outcome_) outcome_ = loop.set_up();
  const bool is_set_up = outcome_.has_value();
  step_is_done_.release();
  if (!is_set_up) return;

  may_run_.acquire();
  if (stop_requested_.load(std::memory_order_acquire)) return loop.run();  // Which ends at once.
  outcome_ = give_up_capabilities();
  if (outcome_) outcome_ = confine_worker(unneeded_);
  const bool is_confined = outcome_.has_value();
  step_is_done_.release();
  if (!is_confined) stop_requested_.store(true, std::memory_order_release);
  loop.run();
}

Result<void> Worker::start() {
  RW_ASSERT(!thread_.joinable());
  thread_ = std::thread([this] { live(); });
  step_is_done_.acquire();
  if (!outcome_) join();
  return outcome_;
}

Result<void> Worker::run(UnneededCall unneeded) {
  RW_ASSERT(thread_.joinable());
  unneeded_ = unneeded;
  is_released_ = true;
  may_run_.release();
  step_is_done_.acquire();
  if (!outcome_) join();
  return outcome_;
}

bool Worker::push(WorkerCommand&& command) { return ports_.commands.push(std::move(command)); }

bool Worker::send(const LinkEndpoint& to, Bytes datagram) {
  const PacketKind kind =
      datagram.empty() ? PacketKind::ConnectionEnd : PacketKind::ControlDatagram;
  return ports_.from_control.push({.kind = kind, .worker = id(), .endpoint = to}, datagram);
}

void Worker::request_stop() {
  stop_requested_.store(true, std::memory_order_release);
  if (!std::exchange(is_released_, true)) may_run_.release();
  wake();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace ringway
