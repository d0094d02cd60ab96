#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "control/command_dispatch.h"
#include "control/config/config.h"
#include "control/control_plane.h"
#include "control/revocation_watch.h"
#include "control/server_files.h"
#include "control/signal_inbox.h"
#include "dataplane/udp_socket.h"
#include "dataplane/worker_group.h"

namespace ringway {

/// SHELL: the loop around the ControlPlane. It sleeps until a worker rings the bell, a signal comes
/// or a deadline passes; then it hands the plane what has arrived, and the workers and clients what
/// the plane says.
///
/// Runs on the thread that calls run(): the process's first. All that it refers to outlives it.
class ControlThread {
 public:
  struct Parts {
    const ServerConfig& config;
    ControlPlane& plane;
    WorkerGroup& workers;
    TlsContext& tls;
    ServerFiles& files;
    SignalInbox& signals;
    /// May be null.
    TunSteering* steering;
    /// A duplicate of one socket of each listener.
    std::vector<UdpSocket> sockets;
  };

  explicit ControlThread(Parts parts);

  /// Returns when a signal has ended the server, clients were told and the files are written.
  void run();

 private:
  /// Control datagrams that one turn takes from all workers: bounded, so that timers, signals and
  /// the sending of answers keep their turn in a flood.
  static constexpr std::size_t kDatagramsPerTurn = 256;
  static constexpr std::size_t kTransmitsPerTurn = 1024;
  /// How soon to try again when a worker's command queue was full.
  static constexpr Duration kRetry = 1ms;
  static constexpr Duration kTrafficInterval = 5s;

  /// A stranger's datagram, kept until the turn has served those who are connected.
  struct Newcomer {
    LinkEndpoint from;
    std::size_t size = 0;
    std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> bytes;
  };

  void wait(Now now);
  [[nodiscard]] Instant next_deadline(Now now) const;
  void take_signals(Now now);
  void take_signal(int signal, Now now);
  void take_reports(Now now);
  void take_datagrams(Now now);
  void take_datagrams_from(Worker& worker, std::size_t at_most, Now now);
  void report_traffic(Now now);
  void deliver(Now now);
  void transmit(Now now);
  void write_log();

  Parts parts_;
  CommandDispatch dispatch_;
  RevocationWatch revocation_;
  /// Taken whole at start; `newcomer_count_` of them are in use.
  std::unique_ptr<Newcomer[]> newcomers_;
  std::size_t newcomer_count_ = 0;
  Instant next_traffic_;
  /// Something was left undone for want of room: do not sleep long.
  bool has_more_ = false;
  bool must_retry_ = false;
  bool is_stopping_ = false;
  bool is_killed_ = false;
};

}  // namespace ringway
