#pragma once

#include <array>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "control/auth_token.h"
#include "control/channel/tls_context.h"
#include "control/config/config.h"
#include "control/push_change.h"
#include "control/question.h"
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
  /// Inside the caller's scratch; empty: instead of a datagram, the TCP connection is to be closed,
  /// when all that was for it before is sent.
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
  /// Behind it (`iroute`).
  std::vector<Prefix> networks;
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
  /// Of these, how many may have begun without a cookie (tls-crypt-v2 clients before 2.6), and for
  /// how long (A07).
  static constexpr std::size_t kUnprovenMax = 256;
  static constexpr Duration kUnprovenTime = 10s;
  static constexpr std::size_t kDatagramSizeMax = 2048;

  /// All references outlive the plane. `worker_count` decides who owns a peer. `persisted_leases`
  /// is the text of the ifconfig-pool-persist file, or empty.
  ControlPlane(const ServerConfig& config, const TlsWrap& wrap, const TlsContext& tls,
               RandomSource& random, std::uint16_t worker_count, std::string_view persisted_leases,
               Now now);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  /// What client files say before anybody comes: `lines` of the client `name`. Their addresses are
  /// kept for it, and what is wrong with them is said.
  void foresee_client(const std::string& name, std::string_view lines, const std::string& where,
                      Now now);
  /// What a ControlIntake gave Way::Control or Way::Newcomer. The workers' intakes hear by
  /// poll_command() which channels there are, and the cookies' keys; the first commands are there
  /// from the start.
  void handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now);
  /// A TCP connection is no more: whoever was behind it is gone. Not before the datagrams that came
  /// over it.
  void handle_connection_ended(const LinkEndpoint& from, Now now);
  void handle_report(const WorkerReport& report, Now now);
  /// How to learn when something authentic last came from a peer over the data channel. Without it,
  /// every client counts as alive until it is removed.
  using LastHeard = std::function<std::optional<Instant>(PeerId)>;
  void set_last_heard(LastHeard last_heard);
  /// `auth-gen-token`; without it clients get none.
  void set_tokens(AuthTokens tokens);
  /// What has gone through a client's tunnel so far, both ways, for `reneg-bytes`. Call it every
  /// few seconds, only where that option is set.
  void handle_traffic(PeerId peer, std::uint64_t bytes, Now now);
  /// To a question that poll_question() gave, or gave and withdrew: then nothing happens.
  void handle_answer(QuestionId id, const PlaneAnswer& answer, Now now);
  /// The answer takes time, and the client is to be told what for.
  void handle_pending(QuestionId id, const AnswerPending& pending, Now now);
  /// Connected peers with `inactive`: of each the bytes of the packets that have gone through its
  /// tunnel so far are wanted once a second.
  [[nodiscard]] const std::set<PeerId>& watched_peers() const;
  void handle_activity(PeerId peer, std::uint64_t payload_bytes, Now now);
  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;
  /// To be asked, or told; each has one answer at most. Poll before commands, while the workers
  /// still know a client that leaves.
  [[nodiscard]] std::optional<PlaneQuestion> poll_question();
  /// A question that poll_question() gave and nobody asks any more.
  [[nodiscard]] std::optional<QuestionId> poll_withdrawn_question();
  [[nodiscard]] std::optional<AddressedCommand> poll_command();
  /// `scratch` has at least kDatagramSizeMax bytes.
  [[nodiscard]] std::optional<OutgoingDatagram> poll_transmit(MutableBytes scratch, Now now);
  [[nodiscard]] std::optional<PlaneEvent> poll_event();

  /// What is pushed from now on, in place of ServerConfig::push. Connected clients that take
  /// PUSH_UPDATE are told what that changes for them; for the others it counts at the next login.
  PushesChanged change_pushes(std::vector<std::string> pushes, Now now);

  /// These certificates are refused from now on, and their clients are told and removed. Replaces
  /// what an earlier call said.
  void revoke(std::vector<RevokedCertificate> certificates, Now now);
  /// The server ends: programs that were told of clients hear that these have gone.
  void say_goodbye_to_programs();
  /// Tells every client (RESTART, if explicit-exit-notify asks for it) and admits nobody any more.
  void begin_shutdown(Now now);
  /// True when nothing is left to send after begin_shutdown(), or its grace has run out.
  [[nodiscard]] bool is_shut_down(Now now) const;

  [[nodiscard]] std::vector<ClientSummary> clients() const;
  /// The text of the ifconfig-pool-persist file as it should be now.
  [[nodiscard]] std::string leases_text() const;
  [[nodiscard]] std::size_t half_open_count() const;
  /// Control channels, and where they are looked up: the same, or something leaks; inner addresses
  /// that are leased: no more than channels. For tests.
  struct TableSizes {
    std::size_t channels = 0;
    std::size_t endpoints = 0;
    std::size_t questions = 0;
    std::size_t leases = 0;
  };
  [[nodiscard]] TableSizes table_sizes() const;
  [[nodiscard]] const std::array<std::uint64_t, kDropCount>& drops() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ringway
