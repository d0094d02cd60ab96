#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret_text.h"
#include "control/channel/login.h"
#include "control/config/client_config.h"
#include "control/server_notice.h"

namespace ringway {

/// What a user is asked for.
struct LoginQuestion {
  std::string text;
  /// What is typed may be seen.
  bool echoes = false;
};

/// By what a client logs in each time that it connects: name and password of a file or of the user,
/// an answer to the server's question, or a token that it was given; and whether it tries again
/// when that is refused.
///
/// Pure: the owner reads the file, asks the questions, and says what has become of a login.
class LoginPlan {
 public:
  using Retry = LoginRetry;
  struct Settings {
    /// `auth-user-pass`, with a file or without.
    bool is_wanted = false;
    bool has_file = false;
    /// `auth-nocache`
    bool forgets = false;
    Retry retry = Retry::None;
    /// `static-challenge`: asked together with the password.
    std::optional<Challenge> static_challenge;
  };
  enum class Verdict : std::uint8_t {
    GiveUp,
    Again,     ///< after the usual wait
    AgainNow,  ///< the same server, at once: it has asked something, or a token was at fault
  };

  explicit LoginPlan(Settings settings) : settings_(std::move(settings)) {}

  /// The file is to be read, and take_file() to be called, before the questions.
  [[nodiscard]] bool wants_file() const;
  /// An empty password is asked for.
  void take_file(std::string username, SecretText password);
  /// What is missing, one after the other; nothing: login() can be had.
  [[nodiscard]] std::optional<LoginQuestion> next_question() const;
  /// To the question that next_question() gives. A name must not be empty: it is asked again.
  void answer(SecretText text);
  /// Null: the certificate is all. The same object until something changes.
  [[nodiscard]] SharedLogin login();

  /// The login is to be forgotten once it was sent; a token never is.
  [[nodiscard]] bool forgets() const { return settings_.is_wanted && settings_.forgets && !token_; }
  /// The server has let us in by it.
  void note_used();
  void take_token(SharedLogin token) {
    token_ = std::move(token);
    current_.reset();
  }
  [[nodiscard]] Verdict note_refused(const AuthFailure& failure);

 private:
  enum class Part : std::uint8_t { None, Username, Password, StaticAnswer, DynamicAnswer };
  /// CRV1, until it was answered.
  struct Dynamic {
    AuthFailure asked;
    std::optional<SecretText> answer;
  };
  [[nodiscard]] Part missing() const;
  void forget();

  Settings settings_;
  std::string username_;
  std::optional<SecretText> password_;
  std::optional<SecretText> static_answer_;
  std::optional<Dynamic> dynamic_;
  SharedLogin token_;
  SharedLogin current_;
};

}  // namespace ringway
