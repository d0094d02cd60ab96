#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "control/config/config.h"
#include "control/control_plane.h"
#include "dataplane/datapath.h"
#include "tests/sim/event_log.h"
#include "tests/support/seeded_random.h"

namespace ringway::sim {

/// A whole server without threads or sockets: a ControlPlane and some Datapaths, joined as the
/// shells join them.
///
/// A worker sees its commands as late as the ordering rule of dataplane/messages.h allows: just
/// before it looks at its next packet.
class SimServer {
 public:
  struct Setup {
    const ServerConfig& config;
    const TlsWrap& wrap;
    const TlsContext& tls;
    std::uint16_t worker_count = 2;
    std::uint64_t seed = 1;
    KeyLimits key_limits{};
    /// Anything but 0 breaks the ordering rule, to show that a test would notice: commands reach
    /// their worker so much later than the messages that rely on them were sent.
    Duration command_delay{0};
    /// The lines of the client that connects from there, where `client-config-dir` is set.
    std::function<std::string(const LinkEndpoint&)> own_lines = nullptr;
  };
  struct Outputs {
    std::function<void(const LinkEndpoint& to, Bytes datagram)> link;
    std::function<void(Bytes packet)> tun;
  };

  SimServer(const Setup& setup, Outputs outputs, EventLog& log, Now now);

  void handle_datagram(MutableBytes datagram, const LinkEndpoint& from, Now now);
  /// An inner packet from the server's side of the tunnel.
  void handle_packet(Bytes packet, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  void begin_shutdown(Now now);
  /// As if the newest key of every client were worn out.
  void renegotiate_all(Now now);

  [[nodiscard]] ControlPlane& plane() { return plane_; }
  [[nodiscard]] std::uint64_t drops(Drop drop) const;
  /// Of all workers.
  [[nodiscard]] std::size_t session_count() const;
  /// Of the first client.
  [[nodiscard]] std::uint16_t path_mtu() const;

 private:
  struct PendingCommand {
    Instant due;
    WorkerCommand command;
  };
  struct Worker {
    std::unique_ptr<Datapath> datapath;
    std::deque<PendingCommand> commands;
  };

  Worker& worker_that_hears(Bytes datagram, const LinkEndpoint& from);
  Worker& any_worker();
  void drain_commands(Worker& worker, Instant now);
  void collect_commands(Now now);
  void serve_worker(Worker& worker, Now now);
  void pump_plane(Now now);
  void report_traffic(Now now);
  void settle(Verdict verdict, Bytes input, const LinkEndpoint& from, Now now);

  test::SeededRandom dice_;
  test::SeededRandom random_;
  ControlPlane plane_;
  Outputs outputs_;
  EventLog& log_;
  Duration command_delay_;
  bool reports_traffic_;
  std::function<std::string(const LinkEndpoint&)> own_lines_;
  bool has_stopped_ = false;
  std::vector<Worker> workers_;
  std::array<std::uint8_t, 2048> scratch_{};
};

}  // namespace ringway::sim
