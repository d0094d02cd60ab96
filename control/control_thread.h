#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "control/address_log.h"
#include "control/command_dispatch.h"
#include "control/config/config.h"
#include "control/config/push_reload.h"
#include "control/control_plane.h"
#include "control/path_hints.h"
#include "control/programs/server_programs.h"
#include "control/revocation_watch.h"
#include "control/server_files.h"
#include "control/signal_inbox.h"
#include "control/stall_watch.h"
#include "dataplane/icmp_listener.h"
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
    RevocationWatch& revocation;
    AddressLog& addresses;
    ServerPrograms& programs;
    const PushReload& reload;
    /// May be null.
    TunSteering* steering;
    /// A duplicate of one socket of each UDP listener. What goes over TCP goes through the worker
    /// that has the connection.
    std::vector<UdpSocket> sockets;
    /// Unset: not permitted.
    std::optional<IcmpListener> icmp;
  };

  explicit ControlThread(Parts parts);

  /// Before the workers read their first packet: they find the key for cookies then, without which
  /// they answer nobody, and whose handshake began meanwhile is not lost for two seconds.
  void prepare_workers();
  /// Returns when a signal has ended the server, clients were told and the files are written.
  void run();

 private:
  /// Control datagrams that one turn takes from all workers, of connected clients and of newcomers:
  /// bounded, so that timers, signals and the sending keep their turn in a flood. Of newcomers few:
  /// one can cost a TLS handshake, and connected clients wait no longer than a turn.
  static constexpr std::size_t kDatagramsPerTurn = 256;
  static constexpr std::size_t kNewcomersPerTurn = 32;
  static constexpr std::size_t kTransmitsPerTurn = 1024;
  static constexpr std::size_t kHintsPerTurn = 64;
  /// How soon to try again when a worker's command queue was full.
  static constexpr Duration kRetry = 1ms;
  static constexpr Duration kTrafficInterval = 5s;
  /// As often as workers publish what they have counted.
  static constexpr Duration kActivityInterval = 1s;

  void wait(Now now);
  [[nodiscard]] Instant next_deadline(Now now) const;
  void take_signals(Now now);
  void take_signal(int signal, Now now);
  void reload(const char* signal, Now now);
  void take_reports(Now now);
  void take_hints(Now now);
  void take_datagrams(Now now);
  void take_datagrams_from(PacketRing& ring, std::size_t at_most, Now now);
  void report_traffic(Now now);
  void report_activity(Now now);
  void watch_workers(Now now);
  void deliver(Now now);
  void transmit(Now now);
  void send(const OutgoingDatagram& datagram);
  void send_by_worker(const LinkEndpoint& to, Bytes datagram);
  void end_connections();
  void write_log();

  Parts parts_;
  CommandDispatch dispatch_;
  PathHints hints_;
  StallWatch stalls_;
  /// TCP connections to be closed, for which their worker's ring had no room.
  std::deque<LinkEndpoint> to_end_;
  std::vector<bool> to_wake_;
  Instant next_traffic_;
  Instant next_activity_;
  /// Something was left undone for want of room: do not sleep long.
  bool has_more_ = false;
  bool must_retry_ = false;
  bool is_stopping_ = false;
  bool is_killed_ = false;
};

}  // namespace ringway
