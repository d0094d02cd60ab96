#include "control/connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "control/client_signals.h"

namespace ringway {
namespace {

/// As OpenVPN does: six random bytes in front.
std::string random_label(RandomSource& random) {
  std::array<std::uint8_t, 6> bytes;
  random.fill(bytes);
  std::string label;
  for (const std::uint8_t byte : bytes) label += fmt::format("{:02x}", byte);
  return label;
}

std::vector<std::string> hosts_of(const ClientParts& parts, const std::vector<std::size_t>& order) {
  std::vector<std::string> hosts;
  for (const std::size_t number : order) {
    const std::string& host = parts.config.remotes[number].host;
    const bool is_varied = parts.config.remote_random_hostname && !IpAddress::parse(host);
    hosts.push_back(is_varied ? random_label(parts.random) + "." + host : host);
  }
  return hosts;
}

std::vector<RaceRemote> race_remotes(const ClientParts& parts, const RoundPlan& plan,
                                     const std::vector<std::size_t>& order) {
  std::vector<RaceRemote> remotes;
  for (const std::size_t number : order) {
    const RemoteConfig& config = parts.config.remotes[number];
    RaceRemote remote{
        .wants_v6 = config.family != LinkFamily::V4Only,
        .wants_v4 = config.family != LinkFamily::V6Only,
        // The whole handshake has no longer.
        .connect_timeout = std::min(config.connect_timeout, parts.config.timers.hand_window),
        .history = plan.history(number)};
    if (config.local.port != 0) remote.local_port = config.local.port;
    remotes.push_back(std::move(remote));
  }
  return remotes;
}

std::string_view record_name(ConnectRace::Family family) {
  return family == ConnectRace::Family::V6 ? "IPv6" : "IPv4";
}

}  // namespace

Connector::Connector(const ClientParts& parts, const ClientSettings& settings,
                     const RoundPlan& plan, std::optional<ClientDevice>& device)
    : parts_(parts),
      settings_(settings),
      device_(device),
      order_(plan.order()),
      hosts_(hosts_of(parts, order_)),
      now_(read_clocks()),
      begun_(now_.instant),
      race_(race_remotes(parts, plan, order_), now_.instant) {}

Connector::End Connector::run() {
  for (;;) {
    act();
    if (race_.verdict() == ConnectRace::Verdict::Won) return End::Answered;
    if (race_.verdict() == ConnectRace::Verdict::Lost) {
      const std::string names = order_.size() == 1 ? hosts_.front() : "none of the servers";
      error_ = {.what = fmt::format("{} {}{}{}", names,
                                    order_.size() == 1 ? "cannot be reached" : "can be reached",
                                    last_failure_.empty() ? "" : ": ", last_failure_),
                .where = parts_.config.remotes[order_.front()].where,
                .advice =
                    "see that it runs, can be reached, and has the same `tls-crypt` "
                    "or `tls-auth` key"};
      return End::Lost;
    }
    wait();
    now_ = read_clocks();
    if (const auto wish = take_wish(parts_)) {
      return *wish == SignalWish::Stop ? End::Stopped : End::Anew;
    }
    take_answers();
    race_.handle_timeout(now_.instant);
    // What has just been begun sends in the same turn.
    act();
    take_turns();
  }
}

void Connector::act() {
  while (const auto action = race_.poll_action()) {
    std::visit([this](const auto& what) { act_on(what); }, *action);
  }
}

void Connector::act_on(const ConnectRace::LookUp& look_up) {
  const std::string& host = hosts_[look_up.remote];
  if (const auto literal = IpAddress::parse(host)) {
    const std::array endpoint = {
        Endpoint{.address = *literal, .port = remote_at(look_up.remote).port}};
    return race_.handle_addresses(look_up.remote, look_up.family, endpoint, now_.instant);
  }
  if (auto asked = parts_.queries.ask(host, look_up.family); !asked) {
    log::warning("{}: {}", log::escape(host), asked.error().what);
    race_.handle_addresses(look_up.remote, look_up.family, {}, now_.instant);
  }
}

void Connector::act_on(const ConnectRace::Start& start) {
  RW_ASSERT(start.attempt == attempts_.size());
  const std::string server = start.server.to_string();
  log::info("trying {}", server);
  refused_.push_back(false);
  if (device_) keep_reachable(start.server);
  auto attempt = ConnectAttempt::open(
      parts_, settings_, {.server = start.server, .remote = order_[start.remote]}, now_);
  if (!attempt) {
    attempts_.push_back(nullptr);
    return note_refusal(start.attempt, server, attempt.error().to_string());
  }
  attempts_.push_back(std::move(*attempt));
}

void Connector::keep_reachable(const Endpoint& next) {
  std::vector<Endpoint> servers = {next};
  for (const auto& attempt : attempts_) {
    if (attempt) servers.push_back(attempt->server());
  }
  if (auto kept = device_->keep_reachable(servers); !kept) {
    log::warning("{}", kept.error().to_string());
  }
}

void Connector::act_on(const ConnectRace::Abandon& abandon) {
  std::unique_ptr<ConnectAttempt>& attempt = attempts_[abandon.attempt];
  const bool is_outrun = race_.verdict() == ConnectRace::Verdict::Won;
  if (attempt && !is_outrun && !refused_[abandon.attempt]) {
    log::info("{} does not answer", attempt->server().to_string());
    last_failure_ = "no answer";
  }
  attempt.reset();
}

void Connector::wait() const {
  std::vector<pollfd> waiting = {{.fd = parts_.signals.fd(), .events = POLLIN, .revents = 0}};
  parts_.queries.add_to(waiting);
  std::optional<Instant> deadline = race_.poll_timeout();
  for (const auto& attempt : attempts_) {
    if (!attempt) continue;
    waiting.push_back({.fd = attempt->fd(), .events = attempt->awaited(), .revents = 0});
    const auto timeout = attempt->poll_timeout();
    if (timeout && (!deadline || *timeout < *deadline)) deadline = timeout;
  }
  // Nothing lasts longer than the attempts: the limit is for the clock's sake.
  const Duration left = deadline ? *deadline - now_.instant : Duration{1s};
  const Duration wait = std::clamp(left, Duration{0}, Duration{60s});
  const timespec timeout{.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  ::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
}

/// An answer may be to a question of an earlier round, or for several servers of one name.
void Connector::take_answers() {
  while (auto answer = parts_.queries.take()) {
    if (!answer->failure.empty()) {
      log::info("{} has no {} address: {}", log::escape(answer->host), record_name(answer->family),
                answer->failure);
      last_failure_ = answer->failure;
    }
    for (std::size_t place = 0; place < hosts_.size(); ++place) {
      if (hosts_[place] != answer->host) continue;
      std::vector<Endpoint> addresses = answer->addresses;
      for (Endpoint& address : addresses) address.port = remote_at(place).port;
      race_.handle_addresses(place, answer->family, addresses, now_.instant);
    }
  }
}

void Connector::take_turns() {
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    if (!attempts_[i]) continue;
    const ConnectAttempt::Heard heard = attempts_[i]->turn(now_);
    const std::string server = attempts_[i]->server().to_string();
    if (heard.answer) {
      log::info(
          "{} answers, after {} ms", server,
          std::chrono::duration_cast<std::chrono::milliseconds>(now_.instant - begun_).count());
      return race_.handle_answer(i, now_.instant);
    }
    if (heard.refusal) note_refusal(i, server, "it cannot be reached");
  }
}

void Connector::note_refusal(std::size_t attempt, const std::string& server,
                             const std::string& reason) {
  if (!refused_[attempt]) log::info("{} is refused: {}", server, reason);
  refused_[attempt] = true;
  last_failure_ = reason;
  race_.handle_refusal(attempt, now_.instant);
}

Connection Connector::take() {
  Connection connection = attempts_[race_.winner()]->release(parts_.offloads);
  connection.begun = begun_;
  return connection;
}

bool Connector::are_unnamed() const {
  for (std::size_t place = 0; place < order_.size(); ++place) {
    if (race_.address_count(place) > 0) return false;
  }
  return true;
}

std::size_t Connector::address_count() const {
  const std::size_t remote = race_.remote_of(race_.winner());
  return race_.address_count(remote);
}

}  // namespace ringway
