#include "control/client_life.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "control/client_signals.h"
#include "control/server_notice.h"

namespace ringway {
namespace {

/// From a new address or route to the next attempt: what belongs to it comes in one go.
constexpr Duration kSettling = 200ms;

void wait_for_either(int fd, int other_fd, Duration wait) {
  const timespec timeout{.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  std::array<pollfd, 2> waiting = {pollfd{.fd = fd, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = other_fd, .events = POLLIN, .revents = 0}};
  ::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
}

}  // namespace

Result<void> ClientLife::run() {
  for (;;) {
    switch (round()) {
      case Next::Stop: return {};
      case Next::GiveUp: return std::unexpected(error_);
      case Next::RoundNow: continue;
      case Next::Wait: break;
    }
    if (is_over()) return std::unexpected(error_);
    if (!wait(plan_.take_wait())) return {};
  }
}

/// What a login needs is asked for before anybody is called, as it may take a while.
std::optional<ClientLife::Next> ClientLife::log_in() {
  ClientLogin& login = parts_.login;
  switch (login.prepare(parts_)) {
    case ClientLogin::End::Ready: break;
    case ClientLogin::End::Stopped: return Next::Stop;
    case ClientLogin::End::Anew: return Next::RoundNow;
    case ClientLogin::End::Failed: error_ = login.error(); return Next::GiveUp;
  }
  settings_.channel.login = login.plan().login();
  settings_.channel.forgets_login = login.plan().forgets();
  return std::nullopt;
}

ClientLife::Next ClientLife::round() {
  if (const auto instead = log_in()) return *instead;
  Connector connector(parts_, settings_, plan_, device_);
  const Connector::End end = connector.run();
  settings_.channel.login.reset();
  switch (end) {
    case Connector::End::Answered: return serve(connector);
    case Connector::End::Stopped: return Next::Stop;
    case Connector::End::Anew: plan_.start_afresh(); return Next::RoundNow;
    case Connector::End::Lost: break;
  }
  error_ = connector.error();
  log::warning("{}", error_.to_string());
  plan_.note_lost(connector.are_unnamed(), monotonic_now());
  return Next::Wait;
}

ClientLife::Next ClientLife::serve(Connector& connector) {
  Connection connection = connector.take();
  const Endpoint server = connection.server;
  const std::size_t remote = connection.remote;
  ClientSession session(parts_, std::move(connection), device_);
  session.run();
  if (session.end() == ClientSession::End::Stopped) return Next::Stop;
  if (session.end() == ClientSession::End::Unwelcome) {
    error_ = session.error();
    return Next::GiveUp;
  }
  if (!parts_.config.persist_tun) device_.reset();
  if (device_) device_->pause();
  if (session.end() == ClientSession::End::Refused) {
    return after_refusal(session, connector, remote, server);
  }
  if (session.was_connected()) {
    plan_.note_connected(remote, server);
  } else if (session.end() == ClientSession::End::Again) {
    plan_.note_failed(remote, server, connector.address_count());
  }
  return after(session, remote);
}

/// AUTH_FAILED is the end, but for a server that says itself that it is not.
ClientLife::Next ClientLife::after_refusal(const ClientSession& session, const Connector& connector,
                                           std::size_t remote, const Endpoint& server) {
  error_ = session.error();
  const AuthFailure failure = AuthFailure::parse(session.said());
  if (failure.kind != AuthFailure::Kind::Temporary) return after_login(failure, remote, server);
  log::warning("{}: not now: {}", server.to_string(), log::escape(failure.text));
  // Counted among what leads to longer waits, and to the end after connect-retry-max.
  plan_.note_failed(remote, server, connector.address_count());
  if (failure.advance == AuthFailure::Advance::NextRemote) plan_.move_on(remote);
  if (failure.advance == AuthFailure::Advance::Stay) plan_.stay_at(remote, server);
  plan_.wait_at_least(failure.backoff);
  return Next::Wait;
}

ClientLife::Next ClientLife::after_login(const AuthFailure& failure, std::size_t remote,
                                         const Endpoint& server) {
  switch (parts_.login.plan().note_refused(failure)) {
    case LoginPlan::Verdict::GiveUp: return Next::GiveUp;
    case LoginPlan::Verdict::AgainNow:
      log::info("{}: {}", server.to_string(),
                failure.kind == AuthFailure::Kind::Challenged
                    ? "it asks: " + log::escape(failure.text)
                    : "the token is refused: logging in anew");
      plan_.stay_at(remote, server);
      return Next::RoundNow;
    case LoginPlan::Verdict::Again: break;
  }
  log::warning("{}", error_.to_string());
  plan_.note_failed(remote, server, 1);
  plan_.stay_at(remote, server);
  return Next::Wait;
}

ClientLife::Next ClientLife::after(const ClientSession& session, std::size_t remote) {
  if (RestartNotice::parse(session.said()).next_remote) plan_.move_on(remote);
  if (session.end() == ClientSession::End::AgainNow) {
    plan_.start_afresh();
    return Next::RoundNow;
  }
  error_ = {.what = "the server refuses us or does not finish the handshake; the log says more",
            .where = parts_.config.remotes[remote].host,
            .advice = "see that certificates and keys are the ones that it knows"};
  return Next::Wait;
}

bool ClientLife::is_over() {
  if (plan_.is_exhausted()) return true;
  if (!plan_.is_unnamed_for_too_long(monotonic_now())) return false;
  error_.advice = "check the name, or write `resolv-retry infinite` to wait for it";
  return true;
}

bool ClientLife::wait(Duration wait) {
  using Seconds = std::chrono::duration<double>;
  log::info("next attempt in {:g} seconds", std::chrono::duration_cast<Seconds>(wait).count());
  // What we have taken away ourselves is no news.
  static_cast<void>(parts_.network.take());
  Instant until = monotonic_now() + wait;
  bool has_news = false;
  for (;;) {
    const Duration left = until - monotonic_now();
    if (left <= Duration{0}) return true;
    wait_for_either(parts_.signals.fd(), parts_.network.fd(), left);
    if (const auto wish = take_wish(parts_)) {
      plan_.start_afresh();
      return *wish != SignalWish::Stop;
    }
    if (parts_.network.take().gained && !std::exchange(has_news, true)) {
      log::info("this host has a new address or route: trying again");
      until = std::min(until, monotonic_now() + kSettling);
    }
  }
}

}  // namespace ringway
