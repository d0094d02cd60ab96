#include "tests/sim/sim_server.h"

#include <algorithm>
#include <utility>

#include "base/opcode.h"
#include "control/session_terms.h"
#include "tests/dataplane/tun_side.h"

namespace ringway::sim {
namespace {

DatapathSettings datapath_settings(const SimServer::Setup& setup, std::uint16_t self) {
  const ServerConfig& config = setup.config;
  DatapathSettings settings{.self = {self},
                            .worker_count = setup.worker_count,
                            .client_to_client = config.client_to_client,
                            .tun_mtu = config.tunnel.mtu,
                            .sessions_max = config.clients_max};
  settings.admission = admission_settings(config, setup.wrap);
  settings.pool_v4 = config.tunnel.network_v4;
  settings.own_v4 = config.tunnel.network_v4->address.plus(1);
  return settings;
}

}  // namespace

SimServer::SimServer(const Setup& setup, Outputs outputs, EventLog& log, Now now)
    : dice_(setup.seed),
      random_(setup.seed + 1),
      plane_(setup.config, setup.wrap, setup.tls, random_, setup.worker_count, {}, now),
      outputs_(std::move(outputs)),
      log_(log),
      command_delay_(setup.command_delay),
      reports_traffic_(setup.config.timers.renegotiate_bytes > 0),
      own_lines_(setup.own_lines) {
  for (std::uint16_t self = 0; self < setup.worker_count; ++self) {
    DatapathSettings settings = datapath_settings(setup, self);
    settings.key_limits = setup.key_limits;
    workers_.push_back({.datapath = std::make_unique<Datapath>(settings), .commands = {}});
  }
  collect_commands(now);
  plane_.set_last_heard([this](PeerId peer) {
    const auto owner = owner_of(peer, static_cast<std::uint16_t>(workers_.size()));
    const auto traffic = workers_[owner.value].datapath->traffic_of(peer);
    return traffic ? std::optional(traffic->last_received) : std::nullopt;
  });
}

void SimServer::handle_datagram(MutableBytes datagram, const LinkEndpoint& from, Now now) {
  Worker& worker = worker_that_hears(datagram, from);
  drain_commands(worker, now.instant);
  worker.datapath->set_wall(now.wall);
  const Verdict verdict = worker.datapath->handle_datagram(datagram, from, now.instant);
  // A stateless answer is the worker's to send, at once.
  if (verdict.way == Verdict::Way::Link) outputs_.link(verdict.endpoint, verdict.packet);
  serve_worker(worker, now);
  if (verdict.way == Verdict::Way::Worker) {
    Worker& owner = workers_[verdict.worker.value];
    drain_commands(owner, now.instant);
    const Verdict second = owner.datapath->handle_datagram(datagram, from, now.instant);
    serve_worker(owner, now);
    return settle(second, datagram, from, now);
  }
  if (verdict.way != Verdict::Way::Link) settle(verdict, datagram, from, now);
}

void SimServer::handle_packet(Bytes packet, Now now) {
  Worker* worker = &any_worker();
  for (int hops = 0; hops < 2; ++hops) {
    drain_commands(*worker, now.instant);
    std::array<std::uint8_t, 2048> out;
    const WorkerId self{static_cast<std::uint16_t>(worker - workers_.data())};
    const Verdict verdict = test::seal_for_peer(*worker->datapath, self, packet, out, now.instant);
    serve_worker(*worker, now);
    if (verdict.way != Verdict::Way::Worker) return settle(verdict, packet, {}, now);
    worker = &workers_[verdict.worker.value];
  }
}

void SimServer::handle_timeout(Now now) {
  for (Worker& worker : workers_) {
    if (worker.datapath->poll_timeout() > now.instant) continue;
    drain_commands(worker, now.instant);
    worker.datapath->handle_timeout(now.instant);
    serve_worker(worker, now);
  }
  if (reports_traffic_) report_traffic(now);
  plane_.handle_timeout(now);
  pump_plane(now);
  has_stopped_ = plane_.is_shut_down(now);
}

std::optional<Instant> SimServer::poll_timeout() const {
  if (has_stopped_) return std::nullopt;
  std::optional<Instant> next = plane_.poll_timeout();
  for (const Worker& worker : workers_) {
    const Instant deadline = worker.datapath->poll_timeout();
    if (!next || deadline < *next) next = deadline;
  }
  return next;
}

void SimServer::begin_shutdown(Now now) {
  plane_.begin_shutdown(now);
  pump_plane(now);
}

void SimServer::renegotiate_all(Now now) {
  for (const ClientSummary& client : plane_.clients()) {
    plane_.handle_report(KeyWearingOut{.peer_id = client.peer_id, .key_id = {}}, now);
  }
  pump_plane(now);
}

std::uint64_t SimServer::drops(Drop drop) const {
  std::uint64_t sum = plane_.drops()[static_cast<std::size_t>(drop)];
  for (const Worker& worker : workers_) {
    sum += worker.datapath->drops()[static_cast<std::size_t>(drop)];
  }
  return sum;
}

std::size_t SimServer::session_count() const {
  std::size_t count = 0;
  for (const Worker& worker : workers_) count += worker.datapath->session_count();
  return count;
}

void SimServer::report_traffic(Now now) {
  for (const ClientSummary& client : plane_.clients()) {
    const auto owner = owner_of(client.peer_id, static_cast<std::uint16_t>(workers_.size()));
    const auto traffic = workers_[owner.value].datapath->traffic_of(client.peer_id);
    if (!traffic) continue;
    plane_.handle_traffic(client.peer_id, traffic->bytes_received + traffic->bytes_sent, now);
  }
}

std::uint16_t SimServer::path_mtu() const {
  const std::vector<ClientSummary> clients = plane_.clients();
  for (const Worker& worker : workers_) {
    if (clients.empty()) break;
    const auto traffic = worker.datapath->traffic_of(clients.front().peer_id);
    if (traffic) return traffic->path_mtu;
  }
  return 0;
}

/// Steering is a help, not a promise: any worker may receive any data. Control datagrams are not
/// steered: by the kernel's hash the same worker gets all from one endpoint.
SimServer::Worker& SimServer::worker_that_hears(Bytes datagram, const LinkEndpoint& from) {
  if (datagram.empty() || is_data(opcode_of(datagram[0]))) return any_worker();
  return workers_[AddressHash{}(from.remote) % workers_.size()];
}

SimServer::Worker& SimServer::any_worker() {
  return workers_[random_below(dice_, workers_.size())];
}

void SimServer::drain_commands(Worker& worker, Instant now) {
  while (!worker.commands.empty() && worker.commands.front().due <= now) {
    WorkerCommand command = std::move(worker.commands.front().command);
    worker.commands.pop_front();
    worker.datapath->handle_command(std::move(command), now);
  }
}

/// What a worker has to say after it was given something: keep-alives and reports.
void SimServer::serve_worker(Worker& worker, Now now) {
  while (const auto verdict = worker.datapath->poll_transmit(scratch_, now.instant)) {
    outputs_.link(verdict->endpoint, verdict->packet);
  }
  while (const auto report = worker.datapath->poll_report()) plane_.handle_report(*report, now);
  pump_plane(now);
}

void SimServer::pump_plane(Now now) {
  while (const auto question = plane_.poll_question()) {
    const PlaneAnswer answer{
        .accepted = true, .text = own_lines_(question->facts.endpoint), .where = "own lines"};
    plane_.handle_answer(question->id, answer, now);
  }
  collect_commands(now);
  while (const auto datagram = plane_.poll_transmit(scratch_, now)) {
    outputs_.link(datagram->to, datagram->bytes);
  }
  while (const auto event = plane_.poll_event()) log_.add(now.instant, "server: {}", event->text);
}

void SimServer::collect_commands(Now now) {
  while (auto addressed = plane_.poll_command()) {
    workers_[addressed->worker.value].commands.push_back(
        {.due = now.instant + command_delay_, .command = std::move(addressed->command)});
  }
}

void SimServer::settle(Verdict verdict, Bytes input, const LinkEndpoint& from, Now now) {
  switch (verdict.way) {
    case Verdict::Way::Dropped:
      log_.add(now.instant, "server dropped {} bytes: {}", input.size(), name_of(verdict.drop));
      break;
    case Verdict::Way::Consumed: break;
    case Verdict::Way::Tun: outputs_.tun(verdict.packet); break;
    case Verdict::Way::Peer: handle_packet(verdict.packet, now); break;
    case Verdict::Way::Link: outputs_.link(verdict.endpoint, verdict.packet); break;
    case Verdict::Way::Control:
    case Verdict::Way::Newcomer:
      plane_.handle_datagram(input, from, now);
      pump_plane(now);
      break;
    case Verdict::Way::Misfit:
      log_.add(now.instant, "server got {} bytes, too many for its TUN", verdict.packet.size());
      break;
    case Verdict::Way::Worker: log_.add(now.instant, "server handed over twice"); break;
  }
}

}  // namespace ringway::sim
