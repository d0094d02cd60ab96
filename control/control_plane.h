#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "dataplane/admission/tls_wrap.h"
#include "dataplane/messages.h"

namespace ringway {

/// A command and the worker it is for.
struct AddressedCommand {
  WorkerId worker;
  WorkerCommand command;
};

struct OutgoingDatagram {
  LinkEndpoint to;
  /// Inside the caller's scratch.
  Bytes bytes;
};

/// One line for the log. The core does not log; its shell does.
struct PlaneEvent {
  enum class Level : std::uint8_t { Info, Warning, Debug } level = Level::Info;
  /// Peer text in it is already escaped.
  std::string text;
};

/// A connected client, for the status file.
struct ClientSummary {
  PeerId peer_id;
  std::uint64_t client_id = 0;
  std::string common_name;
  std::string username;
  LinkEndpoint endpoint;
  std::optional<IpAddress> address_v4;
  std::optional<IpAddress> address_v6;
  std::optional<DataCipher> cipher;
  UnixTime connected_since;
};

/// The core of the control thread: every handshake, lease and key hand-off of one server.
///
/// Pure: datagrams, reports and a time in; datagrams, commands, a deadline and events out. After
/// any handle_*(), drain in this order: poll_command() (so that keys are installed),
/// poll_transmit(), poll_event(); then ask poll_timeout(). Used by one thread. Bounded by
/// ServerConfig::clients_max and kHalfOpenMax.
class ControlPlane {
 public:
  /// Channels whose client has not been admitted yet; the oldest makes room for the newest (A13).
  static constexpr std::size_t kHalfOpenMax = 4096;
  static constexpr std::size_t kDatagramSizeMax = 2048;

  /// All references outlive the plane. `worker_count` decides who owns a peer. `persisted_leases`
  /// is the text of the ifconfig-pool-persist file, or empty.
  ControlPlane(const ServerConfig& config, const TlsWrap& wrap, const TlsContext& tls,
               RandomSource& random, std::uint16_t worker_count, std::string_view persisted_leases,
               Now now);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  void handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now);
  /// True for a datagram that claims to be of an admitted client: those are served before
  /// strangers.
  [[nodiscard]] bool serves(Bytes datagram, const LinkEndpoint& from) const;
  void handle_report(const WorkerReport& report, Now now);
  /// What has gone through a client's tunnel so far, both ways, for `reneg-bytes`. Call it every
  /// few seconds, only where that option is set.
  void handle_traffic(PeerId peer, std::uint64_t bytes, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  [[nodiscard]] std::optional<AddressedCommand> poll_command();
  /// `scratch` has at least kDatagramSizeMax bytes.
  [[nodiscard]] std::optional<OutgoingDatagram> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<PlaneEvent> poll_event();

  /// These certificates are refused from now on, and their clients are told and removed. Replaces
  /// what an earlier call said.
  void revoke(std::vector<RevokedCertificate> certificates, Now now);
  /// Tells every client (RESTART, if explicit-exit-notify asks for it) and admits nobody any more.
  void begin_shutdown(Now now);
  /// True when nothing is left to send after begin_shutdown(), or its grace has run out.
  [[nodiscard]] bool is_shut_down(Now now) const;

  [[nodiscard]] std::vector<ClientSummary> clients() const;
  /// The text of the ifconfig-pool-persist file as it should be now.
  [[nodiscard]] std::string leases_text() const;
  [[nodiscard]] std::size_t half_open_count() const;
  [[nodiscard]] const std::array<std::uint64_t, kDropCount>& drops() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
