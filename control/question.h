#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/address_pool.h"
#include "control/channel/control_event.h"
#include "control/channel/peer_info.h"
#include "control/client_id.h"
#include "dataplane/messages.h"

/// What a ControlPlane asks its shell about a client, and what the shell answers. Values.
///
/// The plane never waits: a question goes out by poll_question(), the client stays where it is, and
/// handle_answer() takes it on. An answer to a question that nobody asks any more (the client has
/// left, was evicted, or has waited too long) finds nothing and changes nothing.
///
/// A new kind of question is added in five places: the QuestionKind here; a step in
/// Inquiry::Step (control/inquiry.h), which says when it is asked; that step's case in
/// ServerRole::take_step() (control/server_admission.cc), which asks it where the configuration
/// wants it asked; ServerRole::apply_answer(), if the answer is more than yes or no; and who
/// answers it in the shell (control/programs/program_desk). Whatever can be decided without asking
/// is a step without a question.
namespace ringway {

/// Never used twice.
struct QuestionId {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const QuestionId&, const QuestionId&) = default;
};

enum class QuestionKind : std::uint8_t {
  /// `tls-crypt-v2-verify`: is what the client's own key says of itself acceptable?
  ClientKey,
  /// `tls-verify`: is the certificate acceptable?
  Certificate,
  /// `auth-user-pass-verify`: is the password right?
  Password,
  /// `client-config-dir`: what does the client's file say? The answer's text.
  ClientConfig,
  /// `client-connect`: may the client come in, and on which terms? The answer's text.
  Connect,
  /// `learn-address`, add or update: may packets for the address go to the client?
  Learn,
  /// `client-crresponse`: is the answer to the challenge right?
  ChallengeResponse,
  // What follows is news. Nobody waits for an answer.
  /// `learn-address`, delete.
  Forget,
  /// `client-disconnect`.
  Disconnect,
};
[[nodiscard]] constexpr bool wants_answer(QuestionKind kind) { return kind < QuestionKind::Forget; }

/// What is known of the client when the question is asked.
struct ClientFacts {
  std::string common_name;
  std::string username;
  PeerCertificate certificate;
  PeerInfo peer_info;
  /// Where there are tokens: what is known of the one that was given, and whose session it is or
  /// becomes.
  std::string session_state;
  std::string session_id;
  LinkEndpoint endpoint;
  PeerId peer_id;
  Lease lease;
  /// Zero seconds until it has been authenticated.
  UnixTime connected_since;
};

/// Move-only; the password is wiped.
struct PlaneQuestion {
  PlaneQuestion() = default;
  PlaneQuestion(PlaneQuestion&&) = default;
  PlaneQuestion& operator=(PlaneQuestion&&) = default;
  ~PlaneQuestion();

  QuestionId id;
  ClientId client;
  QuestionKind kind = QuestionKind::Certificate;
  /// Of the negotiation that it is about.
  KeyId key_id;
  bool is_renegotiation = false;
  ClientFacts facts;
  /// ClientKey alone: the key's metadata, its type first; never empty.
  std::string key_metadata;
  /// Password alone.
  std::string password;
  /// ChallengeResponse alone: what the client sent, base64.
  std::string response;
  /// Learn and Forget: a single address, or an `iroute`.
  std::optional<Prefix> address;
  /// Learn alone: the program was told that it is another client's.
  bool is_update = false;
};

struct PlaneAnswer {
  bool accepted = false;
  /// Of a refusal: what the client is told behind AUTH_FAILED, and what the log says.
  std::string for_client;
  std::string for_log;
  /// Of a refusal: the client may try again later.
  bool is_temporary = false;
  /// ClientConfig, Connect: lines of a client's configuration. Empty: none.
  std::string text;
  /// Where the text is from, for messages.
  std::string where;
};

/// An answer takes longer than clients wait, and the client can be told (`auth_pending_file`).
struct AnswerPending {
  Duration timeout{0};
  /// "crtext", "webauth", "openurl": one of IV_SSO, or the client cannot do it.
  std::string method;
  /// Behind INFO_PRE.
  std::string extra;
};

}  // namespace ringway
