#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/random.h"
#include "control/client_core.h"
#include "perf/src/wire/nic.h"
#include "perf/src/wire/outer_packet.h"

namespace ringway::wire {

/// Where the clients are: client n has `first_address` + n, outside, and reaches `server`. Value.
struct FleetPlan {
  std::uint32_t client_count = 1;
  IpAddress first_address;
  std::uint16_t port = 40000;
  Endpoint server;
  /// Set: the server is a forwarder without cryptography (perf/src/floor). There is no handshake,
  /// a datagram is an inner packet behind a header that only looks like one, and client n has this
  /// inner address + n.
  std::optional<IpAddress> plain_inner_address;
};

/// All clients of one server: ClientCores behind the outer network card.
///
/// SHELL: one thread. Keeps its clients alive only while connect() or service() is called; in a
/// timed run nothing but data moves, and the server's timers are set so that it does not mind.
class Fleet {
 public:
  /// How many handshakes are under way at once.
  static constexpr std::size_t kConnectingMax = 64;

  struct Identity {
    const ClientSettings& settings;
    const TlsWrap& wrap;
    const TlsContext& tls;
  };
  /// All that `identity` refers to outlives the fleet, as does `outer`.
  Fleet(const FleetPlan& plan, const Identity& identity, Nic& outer);

  /// Brings every client up. Error: who could not be, and what its server or its core said.
  Result<void> connect(Duration limit);
  /// Answers what lies in the outer card's queue, and the clients' timers.
  void service(Now now);

  [[nodiscard]] std::uint32_t size() const { return plan_.client_count; }
  [[nodiscard]] OuterPath path_of(std::uint32_t client) const;
  /// Given by the server; only after connect().
  [[nodiscard]] const IpAddress& inner_address_of(std::uint32_t client) const {
    return inner_addresses_.at(client);
  }
  /// Who lives at an outer endpoint.
  [[nodiscard]] std::optional<std::uint32_t> client_at(const Endpoint& endpoint) const;

  /// Without cryptography, a server sends to whom it has heard last: let that be client 0. Does
  /// nothing for others.
  void announce();
  /// The datagram that carries `packet`, at the head of `out`; nothing when the key is gone.
  [[nodiscard]] std::optional<Bytes> seal(std::uint32_t client, Bytes packet, MutableBytes out,
                                          Now now);
  /// The inner packet that `datagram` carries, opened in place.
  [[nodiscard]] std::optional<Bytes> open(std::uint32_t client, MutableBytes datagram, Now now);

 private:
  [[nodiscard]] bool is_plain() const { return plan_.plain_inner_address.has_value(); }
  void start(std::uint32_t client, Now now);
  /// Sends what the core has to send and heeds its events.
  void pump(std::uint32_t client, Now now);
  void handle(std::uint32_t client, const ClientConnected& event);
  void handle(std::uint32_t client, const ClientDisconnected& event);
  void handle(std::uint32_t, const auto&) {}
  void receive(Now now);
  void send(std::uint32_t client, Bytes datagram);

  FleetPlan plan_;
  Identity identity_;
  Nic& outer_;
  SystemRandom random_;
  std::deque<ClientCore> cores_;
  std::vector<IpAddress> inner_addresses_;
  std::size_t connected_count_ = 0;
  std::string failure_;
  std::vector<std::uint8_t> frame_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace ringway::wire
