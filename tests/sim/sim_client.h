#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "control/client_core.h"
#include "tests/sim/event_log.h"
#include "tests/support/seeded_random.h"

namespace ringway::sim {

/// One simulated client: a ClientCore, where it is, and what it has been told.
class SimClient {
 public:
  struct Setup {
    const ClientSettings& settings;
    const TlsWrap& wrap;
    const TlsContext& tls;
    Endpoint endpoint;
    std::uint64_t seed = 1;
  };
  struct Outputs {
    std::function<void(const Endpoint& from, Bytes datagram)> link;
    std::function<void(const SimClient& client, Bytes packet)> tun;
  };

  SimClient(const Setup& setup, Outputs outputs, EventLog& log, Now now);

  void handle_datagram(MutableBytes datagram, Now now);
  /// False when it could not be sent.
  bool handle_packet(Bytes packet, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const { return core_.poll_timeout(); }
  void renegotiate(Now now);
  void leave(Now now);
  void move(const Endpoint& there) { endpoint_ = there; }

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] ClientCore& core() { return core_; }
  [[nodiscard]] const ClientCore& core() const { return core_; }
  [[nodiscard]] bool is_connected() const { return core_.is_connected(); }
  /// What `ifconfig` pushed.
  [[nodiscard]] std::optional<IpAddress> inner_address() const { return inner_address_; }
  [[nodiscard]] const PushReply& push() const { return push_; }
  [[nodiscard]] unsigned rekeyed() const { return rekeyed_; }
  [[nodiscard]] std::optional<Instant> connected_at() const { return connected_at_; }
  [[nodiscard]] const std::optional<ClientDisconnected>& disconnected() const {
    return disconnected_;
  }

 private:
  void pump(Now now);
  void handle(const ClientConnected& event, Now now);
  void handle(const ClientDisconnected& event, Now now);
  void handle(const ClientPacket&, Now) {}
  void handle(const ClientRekeyed& event, Now now);
  void handle(const auto&, Now) {}

  Endpoint endpoint_;
  test::SeededRandom random_;
  Outputs outputs_;
  EventLog& log_;
  ClientCore core_;
  PushReply push_;
  std::optional<IpAddress> inner_address_;
  std::optional<Instant> connected_at_;
  std::optional<ClientDisconnected> disconnected_;
  unsigned rekeyed_ = 0;
};

}  // namespace ringway::sim
