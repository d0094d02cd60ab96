#include "control/control_thread.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iterator>
#include <set>

#include "base/check.h"
#include "base/log.h"
#include "control/counter_report.h"
#include "control/path_report.h"
#include "control/server_setup.h"

namespace ringway {
namespace {

std::vector<Endpoint> bound_endpoints(const std::vector<UdpSocket>& sockets) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(sockets.size());
  for (const UdpSocket& socket : sockets) endpoints.push_back(socket.local());
  return endpoints;
}

}  // namespace

ControlThread::ControlThread(Parts parts)
    : parts_(std::move(parts)),
      dispatch_(parts_.workers, parts_.steering),
      hints_(bound_endpoints(parts_.sockets)),
      stalls_(parts_.workers.size()),
      to_wake_(parts_.workers.size(), false) {
  parts_.plane.set_last_heard([&workers = parts_.workers](PeerId peer) {
    const std::optional<PeerTrafficSample> traffic = workers.traffic().of(peer);
    return traffic ? std::optional(traffic->last_received) : std::nullopt;
  });
}

void ControlThread::prepare_workers() { deliver(read_clocks()); }

void ControlThread::run() {
  Now now = read_clocks();
  deliver(now);
  while (!is_killed_ && !parts_.plane.is_shut_down(now)) {
    wait(now);
    now = read_clocks();
    take_signals(now);
    take_reports(now);
    take_hints(now);
    parts_.programs.take_answers(parts_.plane, now);
    take_datagrams(now);
    parts_.plane.handle_timeout(now);
    parts_.revocation.look(now);
    parts_.addresses.look(now);
    report_traffic(now);
    report_activity(now);
    watch_workers(now);
    deliver(now);
    parts_.files.write_due(parts_.plane, parts_.workers, now);
  }
  parts_.files.write_due(parts_.plane, parts_.workers, now, /*final=*/true);
  parts_.plane.say_goodbye_to_programs();
  parts_.programs.ask(parts_.plane, parts_.workers, now);
  if (!is_killed_) parts_.programs.finish();
  write_log();
}

void ControlThread::wait(Now now) {
  const Duration until = std::max(next_deadline(now) - now.instant, Duration{0});
  const timespec timeout{.tv_sec = until / 1s, .tv_nsec = (until % 1s).count()};
  pollfd waiting[] = {
      {.fd = parts_.workers.control_bell().fd(), .events = POLLIN, .revents = 0},
      {.fd = parts_.signals.fd(), .events = POLLIN, .revents = 0},
      {.fd = parts_.addresses.fd(), .events = POLLIN, .revents = 0},
      {.fd = parts_.programs.fd(), .events = parts_.programs.poll_events(), .revents = 0},
      // A negative descriptor is passed over.
      {.fd = parts_.icmp ? parts_.icmp->v4_fd() : -1, .events = POLLIN, .revents = 0},
      {.fd = parts_.icmp ? parts_.icmp->v6_fd() : -1, .events = POLLIN, .revents = 0},
  };
  ::ppoll(waiting, std::size(waiting), &timeout, nullptr);
  // Silenced before the queues are looked at: a ring that comes later wakes the next turn.
  parts_.workers.control_bell().silence();
}

Instant ControlThread::next_deadline(Now now) const {
  if (has_more_) return now.instant;
  // Nothing needs an hour; it only bounds the sum.
  Instant next = now.instant + 3600s;
  if (must_retry_) next = now.instant + kRetry;
  for (const std::optional<Instant>& deadline :
       {parts_.plane.poll_timeout(), parts_.files.next(), parts_.revocation.next(),
        parts_.addresses.next(), std::optional(stalls_.next())}) {
    if (deadline && *deadline < next) next = *deadline;
  }
  if (parts_.config.timers.renegotiate_bytes > 0) next = std::min(next, next_traffic_);
  if (!parts_.plane.watched_peers().empty()) next = std::min(next, next_activity_);
  return next;
}

void ControlThread::take_signals(Now now) {
  while (const std::optional<int> signal = parts_.signals.take()) take_signal(*signal, now);
}

void ControlThread::take_signal(int signal, Now now) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
      if (is_stopping_) {
        log::info("second signal: stopping at once");
        is_killed_ = true;
        return;
      }
      log::info("{}: stopping", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      is_stopping_ = true;
      parts_.plane.begin_shutdown(now);
      return;
    case SIGUSR2:
      log::info("SIGUSR2: status\n{}{}{}",
                status_text(parts_.config, parts_.plane, parts_.workers, now),
                path_report(client_statuses(parts_.plane, parts_.workers, now)),
                counter_report(parts_.workers.counters(), parts_.plane.drops()));
      return;
    default: break;
  }
  reload(signal == SIGHUP ? "SIGHUP" : "SIGUSR1", now);
}

/// What can change while clients are connected.
void ControlThread::reload(const char* signal, Now now) {
  if (!log::open({.verb = parts_.config.verb, .file = parts_.config.log_file, .append = true})) {
    log::warning("cannot reopen the log file {}; the one that is open stays in use",
                 parts_.config.log_file);
  }
  log::info("{}: reopened the log and read crl-verify again; clients stay connected", signal);
  parts_.revocation.look(now, /*forced=*/true);
  Result<std::vector<std::string>> pushes = parts_.reload.pushes();
  if (!pushes) {
    log::warning("what is pushed stays as it is: {}", pushes.error().to_string());
    return;
  }
  if (auto fits = check_pushes(*pushes, parts_.config.source); !fits) {
    log::warning("what is pushed stays as it is: {}", fits.error().to_string());
    return;
  }
  const PushesChanged changed = parts_.plane.change_pushes(std::move(*pushes), now);
  if (changed.told + changed.later == 0) return;
  log::info(
      "what is pushed has changed: {} of the connected clients have been told, {} take it at "
      "their next login",
      changed.told, changed.later);
}

void ControlThread::take_reports(Now now) {
  for (std::uint16_t i = 0; i < parts_.workers.size(); ++i) {
    while (const std::optional<WorkerReport> report = parts_.workers.worker({i}).reports().pop()) {
      parts_.plane.handle_report(*report, now);
    }
  }
}

/// What is left over waits in the kernel, or is dropped by it: hints are no more than that.
void ControlThread::take_hints(Now now) {
  if (!parts_.icmp) return;
  for (std::size_t i = 0; i < kHintsPerTurn; ++i) {
    const std::optional<IcmpHint> heard = parts_.icmp->take();
    if (!heard) return;
    if (const auto hint = hints_.admit(*heard, now.instant)) dispatch_.add_hint(*hint);
  }
}

/// Connected clients first, of all workers; then those who want to be.
void ControlThread::take_datagrams(Now now) {
  has_more_ = false;
  const std::size_t count = parts_.workers.size();
  for (std::uint16_t i = 0; i < count; ++i) {
    take_datagrams_from(parts_.workers.worker({i}).to_control(),
                        std::max<std::size_t>(kDatagramsPerTurn / count, 1), now);
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    take_datagrams_from(parts_.workers.worker({i}).newcomers(),
                        std::max<std::size_t>(kNewcomersPerTurn / count, 1), now);
  }
}

void ControlThread::take_datagrams_from(PacketRing& ring, std::size_t at_most, Now now) {
  if (!ring.observe()) return;
  for (std::size_t taken = 0; taken < at_most; ++taken) {
    const std::optional<PacketRing::Record> record = ring.front();
    if (!record) return;
    const LinkEndpoint& from = record->origin.endpoint;
    if (record->origin.kind == PacketKind::ConnectionEnd) {
      parts_.plane.handle_connection_ended(from, now);
    } else {
      parts_.plane.handle_datagram(record->bytes, from, now);
    }
    ring.pop();
  }
  has_more_ = true;
}

void ControlThread::report_traffic(Now now) {
  if (parts_.config.timers.renegotiate_bytes == 0 || now.instant < next_traffic_) return;
  next_traffic_ = now.instant + kTrafficInterval;
  for (const ClientSummary& client : parts_.plane.clients()) {
    const auto traffic = parts_.workers.traffic().of(client.peer_id);
    if (!traffic) continue;
    parts_.plane.handle_traffic(client.peer_id, traffic->bytes_received + traffic->bytes_sent, now);
  }
}

void ControlThread::report_activity(Now now) {
  if (now.instant < next_activity_ || parts_.plane.watched_peers().empty()) return;
  next_activity_ = now.instant + kActivityInterval;
  // A copy: whoever is idle is watched no longer.
  const std::set<PeerId> peers = parts_.plane.watched_peers();
  for (const PeerId peer : peers) {
    const auto traffic = parts_.workers.traffic().of(peer);
    if (traffic) parts_.plane.handle_activity(peer, traffic->payload_bytes, now);
  }
}

/// Clients of a worker that stands still are cut off, and come back only to a new process (R07).
void ControlThread::watch_workers(Now now) {
  if (now.instant < stalls_.next()) return;
  std::vector<std::uint64_t> turns;
  for (std::uint16_t i = 0; i < parts_.workers.size(); ++i) {
    turns.push_back(parts_.workers.worker({i}).counters().of(Counter::LoopTurns));
  }
  for (const StallWatch::Finding& finding : stalls_.look(turns, now.instant)) {
    const double seconds = std::chrono::duration<double>(finding.stalled).count();
    switch (finding.kind) {
      case StallWatch::Kind::Stalls:
        log::warning("worker {} has stood still for {:.1f} s; its clients wait",
                     finding.worker.value, seconds);
        break;
      case StallWatch::Kind::GoesOn:
        log::warning("worker {} goes on after {:.1f} s", finding.worker.value, seconds);
        break;
      case StallWatch::Kind::IsLost:
        log::error(
            "worker {} has stood still for {:.1f} s: the server ends by SIGABRT, to be "
            "started again",
            finding.worker.value, seconds);
        RW_ASSERT(finding.kind != StallWatch::Kind::IsLost);
        break;
    }
  }
}

void ControlThread::deliver(Now now) {
  parts_.programs.ask(parts_.plane, parts_.workers, now);
  const bool is_delivered = dispatch_.deliver(parts_.plane);
  must_retry_ = !is_delivered;
  // The ordering rule of dataplane/messages.h: no answer before the commands that it relies on.
  if (is_delivered) transmit(now);
  write_log();
}

void ControlThread::transmit(Now now) {
  end_connections();
  std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> scratch;
  bool is_done = false;
  for (std::size_t sent = 0; sent < kTransmitsPerTurn && !is_done; ++sent) {
    const std::optional<OutgoingDatagram> datagram = parts_.plane.poll_transmit(scratch, now);
    is_done = !datagram;
    if (datagram) send(*datagram);
  }
  if (!is_done) has_more_ = true;
  for (std::uint16_t i = 0; i < parts_.workers.size(); ++i) {
    if (to_wake_[i]) parts_.workers.worker({i}).wake();
    to_wake_[i] = false;
  }
}

/// What the kernel or the worker does not take is lost on the way like any datagram: it is sent
/// again.
void ControlThread::send(const OutgoingDatagram& datagram) {
  if (datagram.to.is_tcp()) return send_by_worker(datagram.to, datagram.bytes);
  const std::size_t listener = datagram.to.listener;
  if (listener >= parts_.sockets.size()) return;
  static_cast<void>(parts_.sockets[listener].send(datagram.to, datagram.bytes));
}

void ControlThread::send_by_worker(const LinkEndpoint& to, Bytes datagram) {
  const WorkerId owner = owner_of(to.connection, parts_.workers.size());
  const bool is_end = datagram.empty();
  // One end after the other, behind all that was sent before.
  if (is_end && !to_end_.empty()) return to_end_.push_back(to);
  to_wake_[owner.value] = true;
  if (!parts_.workers.worker(owner).send(to, datagram) && is_end) to_end_.push_back(to);
}

/// The connections that could not be closed for want of room.
void ControlThread::end_connections() {
  while (!to_end_.empty()) {
    const WorkerId owner = owner_of(to_end_.front().connection, parts_.workers.size());
    to_wake_[owner.value] = true;
    if (!parts_.workers.worker(owner).send(to_end_.front(), {})) {
      must_retry_ = true;
      return;
    }
    to_end_.pop_front();
  }
}

void ControlThread::write_log() {
  while (const std::optional<PlaneEvent> event = parts_.plane.poll_event()) {
    switch (event->level) {
      case PlaneEvent::Level::Info: log::line(log::Level::Info, event->text); break;
      case PlaneEvent::Level::Warning: log::line(log::Level::Warning, event->text); break;
      case PlaneEvent::Level::Debug: log::line(log::Level::Debug, event->text); break;
    }
  }
}

}  // namespace ringway
