#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "dataplane/admission/tls_wrap.h"
#include "tests/sim/event_log.h"
#include "tests/sim/nonce_watch.h"
#include "tests/sim/packet_ledger.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_server.h"

namespace ringway::sim {

struct WorldSettings {
  std::uint64_t seed = 1;
  std::size_t clients = 1;
  std::uint16_t workers = 2;
  WrapMode wrap = WrapMode::TlsCrypt;
  NetworkSettings network;
  Duration hand_window{60s};
  Duration tran_window{3600s};
  /// 0: never.
  Duration server_renegotiates{0};
  Duration client_renegotiates{0};
  std::uint64_t server_renegotiates_packets = 0;
  std::uint64_t client_renegotiates_packets = 0;
  std::uint64_t client_renegotiates_bytes = 0;
  DataCipher cipher = DataCipher::Aes256Gcm;
  Duration ping_interval{10s};
  Duration ping_restart{60s};
  bool client_to_client = false;
  /// Every other client shows another certificate.
  bool two_certificates = false;
  /// A network behind each client, of which half of the traffic is.
  bool networks_behind = false;
  bool cc_exit = true;
  /// Whether clients announce the epoch format; where nothing is said, those of even seeds do.
  std::optional<bool> epochs;
  /// Of all keys, at both ends.
  KeyLimits key_limits;
  int explicit_exit_notify = 0;
  Duration command_delay{0};
  /// The server renegotiates when so much has gone through a tunnel; 0: never.
  std::uint64_t renegotiate_bytes = 0;
};

/// A server and its clients over a bad network, in virtual time, from one seed.
///
/// After every step it holds what must always hold: an inner packet comes out at most once,
/// unharmed and only if it was sent, from a source address that its client owns (C01, R21), and no
/// packet id is used twice under one key (A20). What does not hold is a test failure that prints
/// the seed and the last events.
class World {
 public:
  explicit World(const WorldSettings& settings);

  void run_for(Duration duration);
  /// Runs until it holds, for `limit` at most. Says whether it does.
  bool run_until(const std::function<bool()>& holds, Duration limit);
  /// Has every connected client and the server exchange a packet each way so often; 0 stops it.
  void set_traffic_interval(Duration interval);
  void renegotiate(std::size_t client);
  void leave(std::size_t client);
  /// The client dies without a word and starts again at the same address and port.
  void restart(std::size_t client);

  /// The client is elsewhere from now on; what is under way to where it was does not find it.
  void move(std::size_t client, const Endpoint& there);
  /// Somebody sets the wall clock of the server, or of a client. Time goes on as before.
  void set_server_clock(std::int64_t seconds_ahead) { server_clock_ahead_ = seconds_ahead; }
  void set_client_clock(std::size_t client, std::int64_t seconds_ahead) {
    client_clocks_ahead_[client] = seconds_ahead;
  }
  /// Called after every step.
  void set_invariant(std::function<void()> invariant) { invariant_ = std::move(invariant); }

  [[nodiscard]] SimClient& client(std::size_t index) { return *clients_[index]; }
  [[nodiscard]] std::size_t client_count() const { return clients_.size(); }
  [[nodiscard]] bool all_connected() const;
  /// An inner packet from one end, outside the regular traffic.
  void send_from_client(std::size_t index, PacketLedger::Route route);

  /// Of the data channel.
  [[nodiscard]] bool uses_epochs() const;
  /// The highest epoch that was on the wire.
  [[nodiscard]] std::uint16_t highest_epoch() const { return nonces_.highest_epoch(); }
  [[nodiscard]] SimServer& server() { return *server_; }
  [[nodiscard]] SimNetwork& network() { return network_; }
  [[nodiscard]] PacketLedger& ledger() { return ledger_; }
  [[nodiscard]] const TlsWrap& server_wrap() const { return server_wrap_; }
  [[nodiscard]] const TlsWrap& client_wrap() const { return client_wrap_; }
  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] Endpoint server_endpoint() const;
  [[nodiscard]] IpAddress server_address() const;
  /// Where WorldSettings::networks_behind says so, and the client has not moved.
  [[nodiscard]] static Prefix network_behind(std::size_t client);
  /// Where a datagram of this client comes from, as the server sees it.
  [[nodiscard]] static LinkEndpoint link_from(const Endpoint& client);
  /// For the message of an assertion.
  [[nodiscard]] std::string trace() const { return log_.to_string(); }

 private:
  std::unique_ptr<SimClient> make_client(std::size_t index);
  [[nodiscard]] Now server_now() const;
  [[nodiscard]] Now client_now(std::size_t client) const;
  [[nodiscard]] std::optional<Instant> next_event() const;
  void step(Instant until);
  void watch_for_spinning(std::optional<Instant> next);
  void deliver_arrivals();
  void fire_timeouts();
  void make_traffic();
  void send_on_link(const Endpoint& from, const Endpoint& to, Bytes datagram);
  void note_at_server(Bytes packet);
  [[nodiscard]] bool is_at(const SimClient& client, const IpAddress& address) const;
  void note_at_client(const SimClient& client, Bytes packet);
  void expect_nothing(const std::optional<std::string>& fault);
  [[nodiscard]] std::optional<std::size_t> client_at(const Endpoint& endpoint) const;

  WorldSettings settings_;
  ServerConfig config_;
  ClientSettings client_settings_;
  EventLog log_;
  Now now_;
  SimNetwork network_;
  PacketLedger ledger_;
  NonceWatch nonces_;
  TlsWrap server_wrap_;
  TlsWrap client_wrap_;
  TlsContext server_tls_;
  TlsContext client_tls_;
  TlsContext other_client_tls_;
  std::unique_ptr<SimServer> server_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  Duration traffic_interval_{0};
  Instant traffic_due_;
  int turns_at_once_ = 0;
  std::uint64_t clients_made_ = 0;
  std::int64_t server_clock_ahead_ = 0;
  std::vector<std::int64_t> client_clocks_ahead_;
  std::function<void()> invariant_;
};

/// The seeds of a test: RINGWAY_SEED alone if it is set, otherwise 1 to `count`, and RINGWAY_VOLUME
/// times as many if that is set.
std::vector<std::uint64_t> seeds(std::uint64_t count);

}  // namespace ringway::sim
