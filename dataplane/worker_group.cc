#include "dataplane/worker_group.h"

#include <utility>

#include "base/check.h"

namespace ringway {
WorkerGroup::WorkerGroup(Wakeup control_bell, std::vector<Wakeup> bells, std::uint32_t peers_max)
    : control_bell_(std::move(control_bell)), bells_(std::move(bells)), traffic_(peers_max) {}

WorkerGroup::~WorkerGroup() { stop(); }

Result<std::unique_ptr<WorkerGroup>> WorkerGroup::create(WorkerGroupSettings settings) {
  const std::size_t count = settings.tun_queues.size();
  RW_ASSERT(count > 0);
  RW_ASSERT(!settings.listeners.empty() || !settings.tcp_listeners.empty());
  for (const UdpSocketGroup& listener : settings.listeners) {
    RW_ASSERT(listener.sockets.size() == count);
  }
  for (const TcpListenerGroup& listener : settings.tcp_listeners) {
    RW_ASSERT(listener.listeners.size() == count);
  }
  Result<Wakeup> control_bell = Wakeup::open();
  if (!control_bell) return std::unexpected(control_bell.error());
  std::vector<Wakeup> bells;
  for (std::size_t i = 0; i < count; ++i) {
    Result<Wakeup> bell = Wakeup::open();
    if (!bell) return std::unexpected(bell.error());
    bells.push_back(std::move(*bell));
  }
  std::unique_ptr<WorkerGroup> group(
      new WorkerGroup(std::move(*control_bell), std::move(bells), settings.peers_max));
  group->add_workers(std::move(settings));
  return group;
}

void WorkerGroup::add_workers(WorkerGroupSettings settings) {
  const std::size_t count = settings.tun_queues.size();
  lanes_.resize(count * count);
  for (std::size_t from = 0; from < count; ++from) {
    for (std::size_t to = 0; to < count; ++to) {
      if (from == to) continue;
      lanes_[from * count + to] = std::make_unique<PacketRing>(settings.limits.lane_size);
    }
  }

  const std::vector<unsigned>& cores = settings.cores;
  for (std::size_t i = 0; i < count; ++i) {
    WorkerSettings one{.datapath = settings.datapath,
                       .limits = settings.limits,
                       .sockets = {},
                       .tcp_listeners = {},
                       .hand_window = settings.hand_window,
                       .tun_queue = std::move(settings.tun_queues[i]),
                       .offloads = settings.offloads,
                       .pacing = settings.pacing,
                       .core = std::nullopt,
                       .multishot_tun_reads = settings.multishot_tun_reads};
    one.datapath.self = {static_cast<std::uint16_t>(i)};
    one.datapath.worker_count = static_cast<std::uint16_t>(count);
    if (!cores.empty()) one.core = cores[i % cores.size()];
    for (UdpSocketGroup& listener : settings.listeners) {
      one.sockets.push_back(std::move(listener.sockets[i]));
    }
    for (TcpListenerGroup& listener : settings.tcp_listeners) {
      one.tcp_listeners.push_back(std::move(listener.listeners[i]));
    }
    workers_.push_back(
        std::make_unique<Worker>(std::move(one), lanes_of(i), bells_[i], control_bell_, traffic_));
  }
}

WorkerLanes WorkerGroup::lanes_of(std::size_t worker) const {
  WorkerLanes lanes;
  const std::size_t count = bells_.size();
  for (std::size_t other = 0; other < count; ++other) {
    lanes.to_others.push_back(lanes_[worker * count + other].get());
    lanes.from_others.push_back(lanes_[other * count + worker].get());
    lanes.bells.push_back(&bells_[other]);
  }
  return lanes;
}

Result<void> WorkerGroup::start() {
  for (const auto& worker : workers_) {
    Result<void> started = worker->start();
    if (started) continue;
    stop();
    return started;
  }
  return {};
}

Result<void> WorkerGroup::run(UnneededCall unneeded) {
  for (const auto& worker : workers_) {
    Result<void> running = worker->run(unneeded);
    if (running) continue;
    stop();
    return running;
  }
  return {};
}

void WorkerGroup::stop() {
  for (const auto& worker : workers_) worker->request_stop();
  for (const auto& worker : workers_) worker->join();
}

CounterSnapshot WorkerGroup::counters() const {
  CounterSnapshot sum;
  for (const auto& worker : workers_) sum.add(worker->counters());
  return sum;
}

}  // namespace ringway
