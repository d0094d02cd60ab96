#pragma once

#include <sys/types.h>
#include <termios.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/secret_text.h"
#include "base/unique_fd.h"
#include "control/login_plan.h"

namespace ringway {

/// One question to the user, and the line that is typed: on the terminal, without echo where it is
/// a secret; without a terminal by systemd-ask-password, as OpenVPN does under systemd.
///
/// SHELL: one thread; does not block: fd() is readable when turn() has something to do. When
/// destroyed, the terminal is as it was and the program is gone.
class Prompt {
 public:
  enum class State : std::uint8_t { Waiting, Answered, Refused };

  /// The error: there is nobody to ask.
  static Result<std::unique_ptr<Prompt>> open(const LoginQuestion& question);
  /// Whether open() would find somebody.
  [[nodiscard]] static bool can_ask();
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;
  ~Prompt();

  [[nodiscard]] int fd() const { return input_.get(); }
  State turn();
  /// After Answered, once; without the end of the line.
  [[nodiscard]] SecretText take() { return std::move(line_); }

 private:
  explicit Prompt(UniqueFd input) : input_(std::move(input)) {}
  void ask_on_terminal(const LoginQuestion& question);
  static Result<std::unique_ptr<Prompt>> ask_by_systemd(const LoginQuestion& question);

  UniqueFd input_;
  /// How the terminal was.
  std::optional<termios> before_;
  bool is_terminal_ = false;
  pid_t program_ = -1;
  SecretText line_;
};

}  // namespace ringway
