#include "control/client_login.h"

#include <poll.h>

#include <array>
#include <csignal>
#include <utility>

#include "control/client_parts.h"
#include "control/client_signals.h"
#include "control/config/config_files.h"

namespace ringway {
namespace {

void wait_for_either(int fd, int other_fd) {
  std::array<pollfd, 2> waiting = {pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = other_fd, .events = POLLIN, .revents = 0}};
  ::poll(waiting.data(), waiting.size(), -1);
}

std::optional<Challenge> static_challenge(const LoginConfig& said) {
  if (said.challenge.empty()) return std::nullopt;
  return Challenge{.text = said.challenge, .wants_answer = true, .echoes = said.challenge_echoes};
}

Error nobody_answered() {
  return {.what = "the question for name or password was not answered",
          .where = {},
          .advice = "answer it, or write `auth-user-pass FILE`"};
}

}  // namespace

Result<ClientLogin> ClientLogin::make(const ClientConfig& config) {
  const LoginConfig& said = config.login;
  ClientLogin login(config, {.is_wanted = said.is_wanted,
                             .has_file = config.auth_user_pass.is_set(),
                             .forgets = said.forgets,
                             .retry = said.retry,
                             .static_challenge = static_challenge(said)});
  if (!config.auth_user_pass.is_set()) return login;
  Result<UserPassword> given = read_user_password(config.auth_user_pass);
  if (!given) return std::unexpected(given.error());
  login.given_ = std::move(*given);
  return login;
}

ClientLogin::ClientLogin(const ClientConfig& config, LoginPlan::Settings settings)
    : config_(config), plan_(std::move(settings)) {}

/// What is in the profile cannot change; a file is read anew when it is wanted once more.
Result<void> ClientLogin::read_file() {
  is_file_read_ = true;
  const FileOrInline& file = config_.auth_user_pass;
  if (!given_) {
    Result<std::string> text = read_text_file(file.path);
    if (!text) {
      return fail("`auth-user-pass`: " + text.error().what, file.where,
                  "the file is read again for each login: see that the client's user may");
    }
    Result<UserPassword> read = read_user_password({.text = *text, .where = file.where});
    wipe(*text);
    if (!read) return std::unexpected(read.error());
    given_ = std::move(*read);
  }
  plan_.take_file(given_->username, given_->password.copy());
  if (!file.is_inline) given_.reset();
  return {};
}

ClientLogin::Progress ClientLogin::proceed() {
  if (prompt_) {
    switch (prompt_->turn()) {
      case Prompt::State::Waiting: return Progress::Asking;
      case Prompt::State::Refused:
        prompt_.reset();
        error_ = nobody_answered();
        return Progress::Failed;
      case Prompt::State::Answered: plan_.answer(prompt_->take()); prompt_.reset();
    }
  }
  if (plan_.wants_file() && !is_file_read_) {
    if (auto read = read_file(); !read) {
      error_ = read.error();
      return Progress::Failed;
    }
  }
  const auto question = plan_.next_question();
  if (!question) {
    is_file_read_ = false;
    return Progress::Ready;
  }
  auto prompt = Prompt::open(*question);
  if (!prompt) {
    error_ = prompt.error();
    return Progress::Failed;
  }
  prompt_ = std::move(*prompt);
  return Progress::Asking;
}

ClientLogin::End ClientLogin::prepare(const ClientParts& parts) {
  for (;;) {
    switch (proceed()) {
      case Progress::Ready: return End::Ready;
      case Progress::Failed: return End::Failed;
      case Progress::Asking: break;
    }
    wait_for_either(fd(), parts.signals.fd());
    if (const auto wish = take_wish(parts)) {
      prompt_.reset();
      return *wish == SignalWish::Stop ? End::Stopped : End::Anew;
    }
  }
}

Result<std::optional<SecretText>> ask_user(const LoginQuestion& question, SignalInbox& signals) {
  auto prompt = Prompt::open(question);
  if (!prompt) return std::unexpected(prompt.error());
  for (;;) {
    wait_for_either((*prompt)->fd(), signals.fd());
    while (const auto signal = signals.take()) {
      if (*signal == SIGTERM || *signal == SIGINT) return std::nullopt;
    }
    switch ((*prompt)->turn()) {
      case Prompt::State::Waiting: continue;
      case Prompt::State::Refused: return std::unexpected(nobody_answered());
      case Prompt::State::Answered: return (*prompt)->take();
    }
  }
}

}  // namespace ringway
