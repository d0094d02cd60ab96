#include <sys/epoll.h>

#include <utility>

#include "base/log.h"
#include "control/client_session.h"

/// What the server wants to know of the user, or tells them, while a connection stands. The loop
/// goes on meanwhile.
namespace ringway {

/// What is closed leaves by itself.
void ClientSession::watch(int fd) const {
  epoll_event wanted{.events = EPOLLIN, .data = {}};
  static_cast<void>(::epoll_ctl(wake_.get(), EPOLL_CTL_ADD, fd, &wanted));
}

void ClientSession::handle(const ClientTokenKept& event) {
  log::info("the server has given us a token in place of the password");
  parts_.login.plan().take_token(event.token);
}

void ClientSession::handle(const ClientLoginWanted&) {
  is_login_wanted_ = true;
  ask_login();
}

void ClientSession::ask_login() {
  ClientLogin& login = parts_.login;
  switch (login.proceed()) {
    case ClientLogin::Progress::Asking: watch(login.fd()); return;
    case ClientLogin::Progress::Ready:
      is_login_wanted_ = false;
      core_.set_login(login.plan().login(), read_clocks());
      login.plan().note_used();
      return;
    case ClientLogin::Progress::Failed: break;
  }
  is_login_wanted_ = false;
  error_ = login.error();
  leave(End::Unwelcome);
}

void ClientSession::handle(const ClientNotice& event) {
  const PendingNotice notice = PendingNotice::parse(event.text);
  switch (notice.kind) {
    case PendingNotice::Kind::Question: return ask_challenge(notice.challenge);
    case PendingNotice::Kind::Page:
      log::warning("to be let in, open this page: {}", log::escape(notice.url));
      return;
    case PendingNotice::Kind::Other:
      log::info("the server says: {}", log::escape(notice.text));
      return;
  }
}

void ClientSession::ask_challenge(const Challenge& challenge) {
  if (!challenge.wants_answer) {
    log::warning("the server says: {}", log::escape(challenge.text));
    return;
  }
  auto prompt = Prompt::open({.text = challenge.text, .echoes = challenge.echoes});
  if (!prompt) {
    log::warning("{}", prompt.error().to_string());
    return;
  }
  challenge_ = std::move(*prompt);
  watch(challenge_->fd());
}

void ClientSession::turn_prompts() {
  if (is_login_wanted_ && parts_.login.is_asking()) ask_login();
  if (!challenge_) return;
  const Prompt::State state = challenge_->turn();
  if (state == Prompt::State::Waiting) return;
  if (state == Prompt::State::Answered) core_.answer_challenge(challenge_->take(), read_clocks());
  challenge_.reset();
}

}  // namespace ringway
