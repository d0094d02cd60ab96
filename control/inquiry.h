#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "control/auth_token.h"
#include "control/question.h"

namespace ringway {

/// How far the server has got with what it wants to know of a client before one of its negotiations
/// gives keys. The order is OpenVPN's:
///
///     ClientKey     tls-crypt-v2-verify                                       -> Verifying
///     Certificate   tls-verify
///     Password      auth-user-pass-verify; then it is authenticated
///     Join          its older session is removed; peer id                     -> Joining
///     ClientConfig  client-config-dir
///     Connect       client-connect
///     Addresses     its addresses, and the networks behind it
///     Learn         learn-address, for one of them after the other
///     Admit         keys                                                      -> Admitted
///
/// A renegotiation goes from Certificate by way of Password to Admit, and the client stays what it
/// is. Value; owned by the Client; wiped.
struct Inquiry {
  enum class Step : std::uint8_t {
    ClientKey,
    Certificate,
    Password,
    Join,
    ClientConfig,
    Connect,
    Addresses,
    Learn,
    Admit,
  };

  Inquiry() = default;
  Inquiry(Inquiry&&) = default;
  Inquiry& operator=(Inquiry&&) = default;
  ~Inquiry();

  /// What is done next; while `question` is set, what is done when it has been answered.
  Step step = Step::ClientKey;
  std::optional<QuestionId> question;
  KeyId key_id;
  bool is_renegotiation = false;
  std::string username;
  std::string password;
  TokenState token_state = TokenState::Initial;
  /// Learn: what has not been asked about; the next is the last.
  std::vector<Prefix> to_learn;
  Instant begun;
  /// When the client is refused for want of an answer; unset for a renegotiation, which the channel
  /// gives up itself.
  std::optional<Instant> give_up_at;
};

}  // namespace ringway
