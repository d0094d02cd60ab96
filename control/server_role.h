#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/address_pool.h"
#include "control/admission_check.h"
#include "control/channel/control_event.h"
#include "control/client.h"
#include "control/client_book.h"
#include "control/config/config.h"
#include "control/key_handoff.h"
#include "control/peer_registry.h"
#include "control/plane_log.h"

namespace ringway {

/// What the server does when a client's channel raises an event: lets it in or not, hands its keys
/// and routes to the workers, tells it its options, takes everything back when it goes.
///
///     AuthRequested   identity, cipher, evictions, peer id, lease      HalfOpen -> Admitted
///     KeysReady       AddSession, InstallKeys, AddRoute                Admitted -> Connected
///     ControlActive,  PUSH_REPLY, once the keys are with the workers
///       PushRequested
///
/// Nothing is granted before AuthRequested was answered with admit(), in one place (security goal
/// B08). Pure; used by one thread; owned by a ControlPlane together with what it refers to.
class ServerRole {
 public:
  /// Further PUSH_REQUESTs on a channel are not answered for so long after a PUSH_REPLY.
  static constexpr Duration kPushRepeatMin = 30s;
  /// A name that was admitted so recently is not replaced from elsewhere, so that two clients with
  /// one certificate do not evict each other in a loop (security goal B18).
  static constexpr Duration kReplaceMin = 1s;

  /// How long a refused client may take to hear of it. Its channel usually closes earlier: when
  /// AUTH_FAILED was sent and kExitGrace is over.
  static constexpr Duration kRefusalGrace = 15s;

  struct Surroundings {
    ClientBook& book;
    KeyHandoff& handoff;
    PlaneLog& log;
  };
  ServerRole(const ServerConfig& config, Surroundings surroundings, std::uint16_t worker_count,
             std::string_view persisted_leases, Now now);

  /// Acts on all events that the client's channel has raised. The client may be Gone afterwards.
  void serve(Client& client, Now now);
  /// Takes back what the client was granted and removes it, without a word to it.
  void remove(Client& client, std::string_view reason, Now now);
  /// Takes back what the client was granted; the channel stays for `grace` at most.
  void take_leave(Client& client, std::string_view reason, Now now,
                  Duration grace = ControlChannel::kExitGrace);

  /// These certificates are refused from now on; connected clients that use one are told and
  /// removed (security goal B11). Replaces what an earlier call said.
  void revoke(std::vector<RevokedCertificate> certificates, Now now);

  [[nodiscard]] const PeerRegistry& registry() const { return registry_; }
  [[nodiscard]] const AddressPool& pool() const { return pool_; }

 private:
  void on(Client& client, AuthRequested& event, Now now);
  void on(Client& client, KeysReady& event, Now now);
  void on(Client& client, ControlActive& event, Now now);
  void on(Client& client, PushRequested& event, Now now);
  void on(Client& client, Renegotiated& event, Now now);
  void on(Client& client, PeerLeft& event, Now now);
  void on(Client& client, MessageReceived& event, Now now);
  void on(Client& client, Closed& event, Now now);
  // A client's events; a server's channel never raises them.
  void on(Client&, PushReceived&, Now) {}
  void on(Client&, AuthFailed&, Now) {}

  std::expected<void, Refusal> admit(Client& client, const AuthRequested& request, Now now);
  std::expected<void, Refusal> admit_again(Client& client, const AuthRequested& request, Now now);
  std::expected<void, Refusal> replace_others(const Client& client, const ClientIdentity& identity,
                                              Now now);
  std::expected<void, Refusal> grant(Client& client, Now now);
  void refuse(Client& client, const Refusal& refusal, Now now);
  void connect(Client& client, DataKeys keys);
  void push_if_due(Client& client, Now now);
  [[nodiscard]] bool is_revoked(const Client& client) const;
  void withdraw(Client& client, Now now);

  const ServerConfig& config_;
  ClientBook& book_;
  KeyHandoff& handoff_;
  PlaneLog& log_;
  PeerRegistry registry_;
  AddressPool pool_;
  std::set<RevokedCertificate> revoked_;
};

/// "client1/192.0.2.1:55470", or the endpoint alone while the name is not known.
std::string label_of(const Client& client);

}  // namespace ringway
