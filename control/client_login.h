#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "control/config/client_config.h"
#include "control/config/profile_parser.h"
#include "control/login_plan.h"
#include "control/prompt.h"
#include "control/signal_inbox.h"

namespace ringway {

struct ClientParts;

/// A client's LoginPlan, and where what it wants comes from: the profile, its file, the user.
///
/// SHELL: one thread.
class ClientLogin {
 public:
  enum class Progress : std::uint8_t {
    Ready,   ///< plan().login() can be had
    Asking,  ///< call proceed() again when fd() is readable
    Failed,  ///< error() says why
  };
  enum class End : std::uint8_t { Ready, Stopped, Anew, Failed };

  /// The files that `config` names have been loaded; it outlives the object. The error: a file
  /// without a name.
  static Result<ClientLogin> make(const ClientConfig& config);

  [[nodiscard]] LoginPlan& plan() { return plan_; }
  [[nodiscard]] const Error& error() const { return error_; }

  /// Reads the file, where that is wanted, and asks what is missing. Does not wait.
  Progress proceed();
  [[nodiscard]] bool is_asking() const { return prompt_ != nullptr; }
  [[nodiscard]] int fd() const { return prompt_ ? prompt_->fd() : -1; }
  /// The same before a connection: waits for the user, or for a signal.
  End prepare(const ClientParts& parts);

 private:
  ClientLogin(const ClientConfig& config, LoginPlan::Settings settings);
  Result<void> read_file();

  const ClientConfig& config_;
  LoginPlan plan_;
  /// From the profile itself, or what its file said when the client started.
  std::optional<UserPassword> given_;
  bool is_file_read_ = false;
  std::unique_ptr<Prompt> prompt_;
  Error error_;
};

/// Asks one question and waits for the answer; nothing when a signal ended that.
Result<std::optional<SecretText>> ask_user(const LoginQuestion& question, SignalInbox& signals);

}  // namespace ringway
