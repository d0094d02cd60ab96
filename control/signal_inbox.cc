#include "control/signal_inbox.h"

#include <pthread.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace ringway {

Result<SignalInbox> SignalInbox::open() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&wanted, signal);
  }
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  UniqueFd fd(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return fail(std::string("cannot receive signals: ") + std::strerror(errno), "signalfd");
  return SignalInbox(std::move(fd));
}

std::optional<int> SignalInbox::take() {
  signalfd_siginfo received{};
  do {
    const ssize_t size = ::read(fd_.get(), &received, sizeof received);
    if (size != static_cast<ssize_t>(sizeof received)) return std::nullopt;
  } while (received.ssi_signo == SIGCHLD);
  return static_cast<int>(received.ssi_signo);
}

}  // namespace ringway
