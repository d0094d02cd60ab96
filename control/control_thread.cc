#include "control/control_thread.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "base/log.h"
#include "control/counter_report.h"

namespace ringway {

ControlThread::ControlThread(Parts parts)
    : parts_(std::move(parts)),
      dispatch_(parts_.workers, parts_.steering),
      newcomers_(std::make_unique<Newcomer[]>(kDatagramsPerTurn)) {}

void ControlThread::run() {
  Now now = read_clocks();
  while (!is_killed_ && !parts_.plane.is_shut_down(now)) {
    wait(now);
    now = read_clocks();
    take_signals(now);
    take_reports(now);
    take_datagrams(now);
    parts_.plane.handle_timeout(now);
    parts_.revocation.look(now);
    report_traffic(now);
    deliver(now);
    parts_.files.write_due(parts_.plane, parts_.workers, now);
  }
  parts_.files.write_due(parts_.plane, parts_.workers, now, /*final=*/true);
  write_log();
}

void ControlThread::wait(Now now) {
  const Duration until = std::max(next_deadline(now) - now.instant, Duration{0});
  const timespec timeout{.tv_sec = until / 1s, .tv_nsec = (until % 1s).count()};
  pollfd waiting[] = {
      {.fd = parts_.workers.control_bell().fd(), .events = POLLIN, .revents = 0},
      {.fd = parts_.signals.fd(), .events = POLLIN, .revents = 0},
  };
  ::ppoll(waiting, 2, &timeout, nullptr);
  // Silenced before the queues are looked at: a ring that comes later wakes the next turn.
  parts_.workers.control_bell().silence();
}

Instant ControlThread::next_deadline(Now now) const {
  if (has_more_) return now.instant;
  // Nothing needs an hour; it only bounds the sum.
  Instant next = now.instant + 3600s;
  if (must_retry_) next = now.instant + kRetry;
  for (const std::optional<Instant>& deadline :
       {parts_.plane.poll_timeout(), parts_.files.next(), parts_.revocation.next()}) {
    if (deadline && *deadline < next) next = *deadline;
  }
  if (parts_.config.timers.renegotiate_bytes > 0) next = std::min(next, next_traffic_);
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
      log::info("SIGUSR2: status\n{}{}",
                status_text(parts_.config, parts_.plane, parts_.workers, now),
                counter_report(parts_.workers.counters(), parts_.plane.drops()));
      return;
    default: break;
  }
  const char* name = signal == SIGHUP ? "SIGHUP" : "SIGUSR1";
  if (!log::open({.verb = parts_.config.verb, .file = parts_.config.log_file, .append = true})) {
    log::warning("cannot reopen the log file {}; the one that is open stays in use",
                 parts_.config.log_file);
  }
  log::info(
      "{}: reopened the log and read crl-verify again; clients stay connected, and other "
      "changes of the configuration need a restart",
      name);
  parts_.revocation.look(now, /*forced=*/true);
}

void ControlThread::take_reports(Now now) {
  for (std::uint16_t i = 0; i < parts_.workers.size(); ++i) {
    while (const std::optional<WorkerReport> report = parts_.workers.worker({i}).reports().pop()) {
      parts_.plane.handle_report(*report, now);
    }
  }
}

void ControlThread::take_datagrams(Now now) {
  has_more_ = false;
  newcomer_count_ = 0;
  const std::size_t share = std::max<std::size_t>(kDatagramsPerTurn / parts_.workers.size(), 1);
  for (std::uint16_t i = 0; i < parts_.workers.size(); ++i) {
    take_datagrams_from(parts_.workers.worker({i}), share, now);
  }
  for (std::size_t i = 0; i < newcomer_count_; ++i) {
    const Newcomer& newcomer = newcomers_[i];
    parts_.plane.handle_datagram(Bytes(newcomer.bytes).first(newcomer.size), newcomer.from, now);
  }
}

/// Connected clients are served at once, strangers when all workers' rings have been looked
/// through.
void ControlThread::take_datagrams_from(Worker& worker, std::size_t at_most, Now now) {
  PacketRing& ring = worker.to_control();
  if (!ring.observe()) return;
  for (std::size_t taken = 0; taken < at_most; ++taken) {
    const std::optional<PacketRing::Record> record = ring.front();
    if (!record) return;
    const LinkEndpoint& from = record->origin.endpoint;
    const bool must_wait = !parts_.plane.serves(record->bytes, from) &&
                           newcomer_count_ < kDatagramsPerTurn &&
                           record->bytes.size() <= ControlPlane::kDatagramSizeMax;
    if (must_wait) {
      Newcomer& newcomer = newcomers_[newcomer_count_++];
      newcomer.from = from;
      newcomer.size = record->bytes.size();
      std::ranges::copy(record->bytes, newcomer.bytes.begin());
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

void ControlThread::deliver(Now now) {
  must_retry_ = !dispatch_.deliver(parts_.plane);
  // The ordering rule of dataplane/messages.h: no answer before the commands that it relies on.
  if (!must_retry_) transmit(now);
  write_log();
}

void ControlThread::transmit(Now now) {
  std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> scratch;
  for (std::size_t sent = 0; sent < kTransmitsPerTurn; ++sent) {
    const std::optional<OutgoingDatagram> datagram = parts_.plane.poll_transmit(scratch, now);
    if (!datagram) return;
    const std::size_t listener = datagram->to.listener;
    if (listener >= parts_.sockets.size()) continue;
    // What the kernel does not take is lost on the way like any datagram: it is sent again.
    static_cast<void>(parts_.sockets[listener].send(datagram->to, datagram->bytes));
  }
  has_more_ = true;
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
