#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/address_pool.h"
#include "control/admission_check.h"
#include "control/auth_token.h"
#include "control/channel/control_event.h"
#include "control/client.h"
#include "control/client_book.h"
#include "control/config/config.h"
#include "control/inner_routes.h"
#include "control/key_handoff.h"
#include "control/peer_registry.h"
#include "control/plane_log.h"
#include "control/push_change.h"
#include "control/question_book.h"
#include "control/told_addresses.h"

namespace ringway {

/// What the server does when a client's channel raises an event: lets it in or not, hands its keys
/// and routes to the workers, tells it its options, takes everything back when it goes.
///
///     AuthRequested   identity, cipher; then an Inquiry, step by step
///                     authenticated: evictions, peer id, lease         HalfOpen -> Joining
///                     its last step                                    Joining -> Admitted
///     KeysReady       AddSession, InstallKeys, AddRoute                Admitted -> Connected
///     ControlActive,  PUSH_REPLY, once the keys are with the workers
///       PushRequested
///
/// No keys, no routes and no push before AuthRequested was answered with admit(), in one place
/// (security goal B08). A step may ask the shell (control/question.h); the client then stays where
/// it is, and everybody else is served. While it is HalfOpen it may be evicted as before; a Joining
/// one holds its place.
///
/// The functions are in six files:
///
///     server_role.cc        events, keys, push, farewells
///     server_pushes.cc      options, and what changes of them
///     server_admission.cc   from AuthRequested to admit(): steps, questions, answers
///     server_grants.cc      the place of an authenticated client
///     server_terms.cc       its addresses, its routes, its own lines
///     server_tokens.cc      what takes the password's place after a login
///
/// Pure; used by one thread; owned by a ControlPlane together with what it refers to.
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
    QuestionBook& questions;
  };
  ServerRole(const ServerConfig& config, Surroundings surroundings, std::uint16_t worker_count,
             std::string_view persisted_leases, Now now);

  /// The addresses in these lines of a client are kept for it; what is wrong with them is said.
  void foresee(const std::string& name, std::string_view lines, const std::string& where, Now now);
  /// `auth-gen-token`: without it there are none. `random` outlives the role.
  void set_tokens(AuthTokens tokens, RandomSource& random);
  /// Gives the client a token with a new date, when its own is due.
  void renew_token(Client& client, Now now);

  /// Acts on all events that the client's channel has raised. The client may be Gone afterwards.
  void serve(Client& client, Now now);
  /// The shell's answer. The client may be Gone afterwards.
  void handle_answer(QuestionId id, const PlaneAnswer& answer, Now now);
  /// The answer takes time, and the client is to know why.
  void handle_pending(QuestionId id, const AnswerPending& pending, Now now);
  /// Refuses a client whose questions were not answered in time.
  void give_up_inquiry(Client& client, Now now);
  /// Takes back what the client was granted and removes it, without a word to it.
  void remove(Client& client, std::string_view reason, Now now);
  /// Takes back what the client was granted; the channel stays for `grace` at most.
  void take_leave(Client& client, std::string_view reason, Now now,
                  Duration grace = ControlChannel::kExitGrace);

  /// The same, and the client is told to start again.
  void send_away(Client& client, std::string_view reason, Now now);
  /// Programs that were told of the client hear that it has gone.
  void tell_programs(Client& client);
  /// These certificates are refused from now on; connected clients that use one are told and
  /// removed (security goal B11). Replaces what an earlier call said.
  void revoke(std::vector<RevokedCertificate> certificates, Now now);

  /// What is pushed from now on. Connected clients are told what that changes for them, if they
  /// take PUSH_UPDATE (OpenVPN 2.7); their own lines hold as before.
  PushesChanged change_pushes(std::vector<std::string> pushes, Now now);

  /// Peers whose activity has a limit.
  [[nodiscard]] const std::set<PeerId>& watched() const { return watched_; }
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
  void on(Client&, PushUpdated&, Now) {}
  void on(Client&, LoginWanted&, Now) {}
  void on(Client&, TokenPushed&, Now) {}
  void on(Client&, AuthFailed&, Now) {}

  // server_admission.cc
  std::expected<void, Refusal> begin_inquiry(Client& client, AuthRequested& request, Now now);
  std::expected<void, Refusal> judge_newcomer(Client& client, AuthRequested& request);
  void proceed(Client& client, Now now);
  std::expected<void, Refusal> take_step(Client& client, Now now);
  std::expected<void, Refusal> ask_about_key(Client& client);
  std::expected<void, Refusal> ask(Client& client, QuestionKind kind);
  void note_asked(Client& client);
  std::expected<void, Refusal> check_password(Client& client, Now now);
  std::expected<void, Refusal> ask_password(Client& client);
  std::expected<void, Refusal> ask_next_address(Client& client);
  void settle_address(Client& client, const Prefix& address, bool is_accepted);
  void tell_to_forget(const Client& client, const Prefix& address);
  void inherit_addresses(Client& client, Client& former);
  void finish_inquiry(Client& client, Now now);
  std::expected<void, Refusal> apply_answer(Client& client, QuestionKind kind,
                                            const PlaneAnswer& answer, Now now);
  bool ask_about_challenge(Client& client, MessageReceived& event);
  void note_challenge_answer(Client& client, const PlaneAnswer& answer, Now now);
  void withdraw_inquiry(Client& client);
  [[nodiscard]] PlaneQuestion question_about(const Client& client, QuestionKind kind) const;
  // server_tokens.cc
  std::expected<bool, Refusal> judge_token(Client& client, Now now);
  void begin_token_session(Client& client, const TokenSession& session, Now now);
  [[nodiscard]] std::optional<std::string> token_option(const Client& client, Now now) const;
  // server_grants.cc
  std::expected<void, Refusal> join(Client& client, Now now);
  std::expected<void, Refusal> replace_others(Client& client, const ClientIdentity& identity,
                                              Now now);
  std::expected<void, Refusal> grant(Client& client, Now now);
  // server_terms.cc
  std::expected<void, Refusal> apply_terms(Client& client, const PlaneAnswer& answer, Now now);
  std::expected<void, Refusal> settle_cipher(Client& client);
  std::expected<void, Refusal> settle_addresses(Client& client);
  std::expected<void, Refusal> check_free(const Client& client, const IpAddress& address);
  void note_addresses(Client& client, Now now);
  void add_route(const Client& client, const Prefix& network, Now now);
  void make_room(const Client& client, const Prefix& network, PeerId former, Now now);
  void remove_routes(const Client& client);
  void limit_session(Client& client, Now now);
  // server_pushes.cc
  [[nodiscard]] PushReply reply_for(const Client& client,
                                    const std::vector<std::string>& pushes) const;
  // server_role.cc
  void refuse(Client& client, const Refusal& refusal, Now now);
  void connect(Client& client, DataKeys keys, Now now);
  void push_if_due(Client& client, Now now);
  [[nodiscard]] bool is_on_the_list(const RevokedCertificate& certificate) const;
  [[nodiscard]] bool is_revoked(const Client& client) const;
  void withdraw(Client& client, Now now);

  const ServerConfig& config_;
  ClientBook& book_;
  KeyHandoff& handoff_;
  PlaneLog& log_;
  QuestionBook& questions_;
  std::uint16_t worker_count_;
  PeerRegistry registry_;
  AddressPool pool_;
  InnerRoutes routes_;
  ToldAddresses told_;
  std::set<PeerId> watched_;
  std::set<RevokedCertificate> revoked_;
  /// ServerConfig::push, as it is now.
  std::vector<std::string> pushes_;
  std::optional<AuthTokens> tokens_;
  RandomSource* random_ = nullptr;
};

/// "client1/192.0.2.1:55470", or the endpoint alone while the name is not known.
std::string label_of(const Client& client);

}  // namespace ringway
