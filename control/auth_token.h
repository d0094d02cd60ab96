#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "dataplane/admission/hmac_key.h"

/// Tokens that take a password's place (`auth-gen-token`), as OpenVPN's servers make them, so that
/// servers with one secret believe each other's.
///
///     "SESS_ID_AT_" || base64( session id (12) || initial time (8) || time (8) || HMAC-SHA256 (32)
///     )
///
/// Times are UNIX seconds, big-endian; the HMAC is over the user's name and the first three fields.
namespace ringway {

/// What OpenVPN calls the state of a login, for programs that judge tokens themselves.
enum class TokenState : std::uint8_t {
  Initial,        ///< no token: the first login of a session
  Authenticated,  ///< a token in force
  Expired,
  Invalid,                 ///< not made with our secret, or of another session
  AuthenticatedEmptyUser,  ///< in force, and made for a client without a name
  ExpiredEmptyUser,
};
std::string_view name_of(TokenState state);

/// A login and what has been renewed of it. Value.
struct TokenSession {
  std::array<std::uint8_t, 12> id{};
  /// Of the login with the password.
  UnixTime initial;

  /// As programs see it: 16 characters.
  [[nodiscard]] std::string id_text() const;
  friend bool operator==(const TokenSession&, const TokenSession&) = default;
};

struct TokenLimits {
  /// From the first login on; 0: for ever.
  Duration lifetime{0};
  /// A token that was not renewed for twice as long is dead.
  Duration renewal{3600s};
};

/// Makes tokens and judges them. Pure; constant; owns its secret.
class AuthTokens {
 public:
  static constexpr std::size_t kSize = 91;
  static constexpr std::size_t kSecretSize = 128;

  /// An "OpenVPN auth-token server key" file; `where` is named in errors.
  static Result<AuthTokens> parse(std::string_view pem, const std::string& where,
                                  TokenLimits limits);
  /// A secret of this process alone: nobody's tokens outlive it.
  static AuthTokens make(RandomSource& random, TokenLimits limits);
  static TokenSession new_session(RandomSource& random, UnixTime now);

  /// Whether a password is one of these, by its look.
  [[nodiscard]] static bool is_token(std::string_view password);

  [[nodiscard]] std::string mint(const TokenSession& session, std::string_view username,
                                 UnixTime now) const;

  struct Verdict {
    TokenState state = TokenState::Invalid;
    /// Unset when it is invalid.
    std::optional<TokenSession> session;
  };
  /// Constant time in the secret. `is_token(token)` holds.
  [[nodiscard]] Verdict judge(std::string_view token, std::string_view username,
                              UnixTime now) const;

  [[nodiscard]] const TokenLimits& limits() const { return limits_; }

 private:
  AuthTokens(Bytes secret, TokenLimits limits);

  HmacKey key_;
  TokenLimits limits_;
};

}  // namespace ringway
