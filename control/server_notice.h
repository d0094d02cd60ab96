#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

/// What a server says when it sends a client away, beyond the bare word. Pure; text of the server,
/// so escape what is shown.
namespace ringway {

/// RESTART[,[FLAGS]]: connect again.
struct RestartNotice {
  /// N: to the next server, not to this one.
  bool next_remote = false;

  static RestartNotice parse(std::string_view message);
};

/// What the server wants its user to be asked.
struct Challenge {
  /// For the user.
  std::string text;
  /// R: an answer is wanted; otherwise the text is all there is.
  bool wants_answer = false;
  /// E: what is typed may be seen.
  bool echoes = false;

  /// FLAGS are separated by commas.
  static Challenge make(std::string_view flags, std::string_view text);
};

/// AUTH_FAILED[,REASON].
struct AuthFailure {
  enum class Kind : std::uint8_t {
    Refused,       ///< name and password, or the certificate, are not welcome
    Temporary,     ///< TEMP: not now
    TokenExpired,  ///< SESSION: the token is worth nothing any more
    Challenged,    ///< CRV1: come again with the answer to a question
  };
  /// Where a client goes after TEMP.
  enum class Advance : std::uint8_t { Stay, NextAddress, NextRemote };

  Kind kind = Kind::Refused;
  /// For the user; without what is for the program.
  std::string text;
  Advance advance = Advance::NextRemote;
  /// At least so long; at most kBackoffMax, whatever the server says.
  Duration backoff{0};
  /// Challenged: the question, what the server wants to hear again, and who is meant.
  Challenge challenge;
  std::string state_id;
  std::string username;

  static constexpr Duration kBackoffMax = 3600s;
  /// `reason` is what stands behind the comma. What cannot be read is a plain refusal.
  static AuthFailure parse(std::string_view reason);
};

/// INFO_PRE: what is still to be done while the server holds the answer back (AUTH_PENDING).
struct PendingNotice {
  enum class Kind : std::uint8_t {
    Question,  ///< CR_TEXT
    Page,      ///< OPEN_URL, WEB_AUTH: the user is to open `url`
    Other,     ///< INFO, or what we do not know: `text`, for the log
  };
  Kind kind = Kind::Other;
  Challenge challenge;
  std::string url;
  std::string text;

  /// `message` is all that the server said.
  static PendingNotice parse(std::string_view message);
};

}  // namespace ringway
