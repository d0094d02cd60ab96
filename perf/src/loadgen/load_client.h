#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "control/client_core.h"

namespace ringway::loadgen {

/// What all clients of a generator share; outlives them.
struct ClientParts {
  const ClientSettings& settings;
  const TlsWrap& wrap;
  const TlsContext& tls;
  RandomSource& random;
};

/// SHELL: one client: a ClientCore and a connected UDP socket of its own, so that each has a source
/// port. It draws no TUN device: inner packets are made and looked at by the caller.
///
/// Used by the generator's one thread.
class LoadClient {
 public:
  enum class Stage : std::uint8_t { Idle, Connecting, Connected, Over };

  explicit LoadClient(const Endpoint& server) : server_(server) {}

  /// A new socket and a new core, whatever there was. False when the system gives no socket.
  bool start(const ClientParts& parts, Now now);
  /// A new socket for the core that there is: the source port changes (a float).
  bool move_to_new_port();
  /// Ends at once, and tells nobody.
  void abandon();

  /// Reads one datagram. Nothing when there is none; otherwise what it carried, if anything.
  struct Received {
    /// Inside `buffer`; empty for whatever is no inner packet.
    Bytes packet;
  };
  std::optional<Received> receive(MutableBytes buffer, Now now);
  /// False when it was not sealed, or the socket did not take it.
  bool send_packet(Bytes packet, Now now);
  /// Sends all that the core has to send.
  void pump(Now now);
  /// The core's; it moves `stage`.
  std::optional<ClientEvent> poll_event(Now now);

  [[nodiscard]] ClientCore& core() { return *core_; }
  [[nodiscard]] bool has_core() const { return core_.has_value(); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] Instant started() const { return started_; }
  [[nodiscard]] Instant connected_at() const { return connected_at_; }
  /// The addresses that the server gave; unset where it gave none.
  [[nodiscard]] const std::optional<IpAddress>& inner_v4() const { return inner_v4_; }
  [[nodiscard]] const std::optional<IpAddress>& inner_v6() const { return inner_v6_; }
  /// Datagrams that the socket refused: its buffer was full, or the server's port closed.
  [[nodiscard]] std::uint64_t send_failures() const { return send_failures_; }

 private:
  bool open_socket();
  bool send(Bytes datagram);

  Endpoint server_;
  UniqueFd fd_;
  std::optional<ClientCore> core_;
  Stage stage_ = Stage::Idle;
  Instant started_;
  Instant connected_at_;
  std::optional<IpAddress> inner_v4_;
  std::optional<IpAddress> inner_v6_;
  std::uint64_t send_failures_ = 0;
};

}  // namespace ringway::loadgen
