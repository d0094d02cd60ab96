#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "dataplane/worker.h"

namespace ringway {

struct WorkerGroupSettings {
  /// `self` and `worker_count` are filled in for each worker.
  DatapathSettings datapath;
  WorkerLimits limits;
  /// One group a listener, each with one socket a worker.
  std::vector<UdpSocketGroup> listeners;
  std::vector<TcpListenerGroup> tcp_listeners;
  /// See WorkerSettings.
  Duration hand_window{60s};
  /// One TUN queue a worker (TunDevice::take_queue()); as many workers are made.
  std::vector<UniqueFd> tun_queues;
  Offloads offloads;
  PacingSettings pacing;
  /// Worker i is pinned to core i of this list, in turn. Empty: the scheduler chooses.
  std::vector<unsigned> cores;
  /// See WorkerSettings.
  bool multishot_tun_reads = true;
  /// Rows of the traffic table: peer ids from here on have no traffic in the status file.
  std::uint32_t peers_max = 65'536;
};

/// All workers of a server, the lanes between them, and what they share with the control thread.
///
/// Owned and used by the control thread. Destroying it stops and joins all workers.
class WorkerGroup {
 public:
  static Result<std::unique_ptr<WorkerGroup>> create(WorkerGroupSettings settings);
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  /// Starts all threads, which wait for run(); after an error none is left.
  [[nodiscard]] Result<void> start();
  /// Confines all threads and has them serve (Worker::run()); after an error none is left.
  [[nodiscard]] Result<void> run(UnneededCall unneeded);
  /// Stops all threads and waits for them.
  void stop();

  [[nodiscard]] std::uint16_t size() const { return static_cast<std::uint16_t>(workers_.size()); }
  Worker& worker(WorkerId id) { return *workers_[id.value]; }
  /// Rings when a worker has reports or control datagrams: wait on its fd(), silence() it, then
  /// look at reports() and to_control() of every worker.
  [[nodiscard]] const Wakeup& control_bell() const { return control_bell_; }
  [[nodiscard]] const PeerTrafficTable& traffic() const { return traffic_; }
  /// The sum over all workers.
  [[nodiscard]] CounterSnapshot counters() const;

 private:
  WorkerGroup(Wakeup control_bell, std::vector<Wakeup> bells, std::uint32_t peers_max);
  void add_workers(WorkerGroupSettings settings);
  [[nodiscard]] WorkerLanes lanes_of(std::size_t worker) const;

  Wakeup control_bell_;
  /// By WorkerId.
  std::vector<Wakeup> bells_;
  PeerTrafficTable traffic_;
  /// Lane from worker i to worker j at [i * count + j]; none from a worker to itself.
  std::vector<std::unique_ptr<PacketRing>> lanes_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace ringway
