#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/batch_pacer.h"
#include "dataplane/confinement.h"
#include "dataplane/counters.h"
#include "dataplane/datapath.h"
#include "dataplane/messages.h"
#include "dataplane/offloads.h"
#include "dataplane/packet_ring.h"
#include "dataplane/peer_traffic.h"
#include "dataplane/spsc_queue.h"
#include "dataplane/tcp_socket.h"
#include "dataplane/udp_socket.h"
#include "dataplane/wakeup.h"
#include "dataplane/worker_limits.h"

namespace ringway {

struct WorkerSettings {
  DatapathSettings datapath;
  WorkerLimits limits;
  /// One socket a listener, in the order of LinkEndpoint::listener: first those of UDP ...
  std::vector<UdpSocket> sockets;
  /// ... then those of TCP.
  std::vector<TcpListener> tcp_listeners;
  /// How long a TCP client has to be let in.
  Duration hand_window{60s};
  /// A queue of the TUN (TunDevice::take_queue()), opened with `offloads.tun`.
  UniqueFd tun_queue;
  Offloads offloads;
  PacingSettings pacing;
  /// The core that the thread is pinned to.
  std::optional<unsigned> core;
  /// Off: the TUN is read packet by packet, as on kernels that cannot do otherwise.
  bool multishot_tun_reads = true;
};

/// The slow lanes of one worker: rings of packets to and from every other worker, and the bells to
/// ring after pushing. Indexed by WorkerId; its own place is empty.
struct WorkerLanes {
  std::vector<PacketRing*> to_others;
  std::vector<PacketRing*> from_others;
  std::vector<const Wakeup*> bells;
};

/// What a worker shares with the rest of the process. All of it outlives the worker's thread.
struct WorkerPorts {
  SpscQueue<WorkerCommand> commands;
  SpscQueue<WorkerReport> reports;
  PacketRing to_control;
  /// Control datagrams of who has returned a cookie and is not connected yet.
  PacketRing newcomers;
  /// What is to be said over TCP connections, in order.
  PacketRing from_control;
  Counters counters;
};

/// SHELL: one thread with its own ring, sockets and TUN queue around one Datapath.
///
/// This is the handle that the control thread holds; what runs on the thread is WorkerLoop. The
/// control thread is the only producer of commands and of what send() takes, and the only consumer
/// of reports(), to_control() and newcomers(). Neither copied nor moved. Destroying it stops and
/// joins the thread.
class Worker {
 public:
  /// The worker sleeps on its own `bell`, and rings `control_bell` when reports or control
  /// datagrams wait, at most once per batch. Bells, lanes and `traffic` outlive the worker.
  Worker(WorkerSettings settings, const WorkerLanes& lanes, const Wakeup& bell,
         const Wakeup& control_bell, PeerTrafficTable& traffic);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Starts the thread and waits until its ring, buffers and receives are set up; the error is the
  /// set-up's. Call before privileges are dropped. Nobody is served before run().
  [[nodiscard]] Result<void> start();
  /// Has the thread give up its capabilities and the system calls that it does not need, and then
  /// serve. Call when the process has its user: a confined thread cannot change it.
  [[nodiscard]] Result<void> run(UnneededCall unneeded);

  /// Gives a command; call wake() after the last of a batch. False when the queue is full: the
  /// command is untouched, and the caller wakes the worker and tries again after its next turn. A
  /// command that was taken is never lost, and commands are carried out in order.
  [[nodiscard]] bool push(WorkerCommand&& command);
  void wake() const { bell_.ring(); }

  /// Asks the thread to end: it cancels what is in flight, waits until the kernel has given every
  /// buffer back, and stops. Returns at once.
  void request_stop();
  void join();

  SpscQueue<WorkerReport>& reports() { return ports_.reports; }
  PacketRing& to_control() { return ports_.to_control; }
  /// To be served behind to_control() of all workers.
  PacketRing& newcomers() { return ports_.newcomers; }
  /// A datagram for a TCP connection of this worker or, without bytes, its end. What it relies on
  /// was pushed as a command before. False when there is no room. Call wake() after the last.
  [[nodiscard]] bool send(const LinkEndpoint& to, Bytes datagram);
  [[nodiscard]] CounterSnapshot counters() const { return ports_.counters.snapshot(); }
  [[nodiscard]] WorkerId id() const { return settings_.datapath.self; }

 private:
  void live();

  WorkerSettings settings_;
  WorkerPorts ports_;
  WorkerLanes lanes_;
  const Wakeup& bell_;
  const Wakeup& control_bell_;
  PeerTrafficTable& traffic_;
  /// A Stop command can meet a full queue; this cannot.
  std::atomic<bool> stop_requested_{false};
  /// Released by the thread when a step of its start is done, and by the handle to begin the next.
  std::binary_semaphore step_is_done_{0};
  std::binary_semaphore may_run_{0};
  bool is_released_ = false;
  Result<void> outcome_;
  UnneededCall unneeded_ = UnneededCall::Kills;
  std::thread thread_;
};

}  // namespace ringway
