#include "control/connect_race.h"

#include <algorithm>

#include "base/check.h"

namespace ringway {
namespace {

using Family = ConnectRace::Family;

Family family_of(const Endpoint& endpoint) {
  return endpoint.address.is_v4() ? Family::V4 : Family::V6;
}

/// Smaller is tried earlier.
int rank(const AddressHistory& history, const Endpoint& endpoint) {
  if (history.last_good == endpoint) return 0;
  const bool is_blamed = std::ranges::find(history.blamed, endpoint) != history.blamed.end();
  return is_blamed ? 2 : 1;
}

void keep_earliest(std::optional<Instant>& earliest, Instant other) {
  if (!earliest || other < *earliest) earliest = other;
}

}  // namespace

ConnectRace::ConnectRace(std::vector<RaceRemote> remotes, Instant now) : next_start_(now) {
  RW_ASSERT(!remotes.empty());
  for (RaceRemote& settings : remotes) {
    RW_ASSERT(settings.wants_v6 || settings.wants_v4);
    Remote& remote = remotes_.emplace_back();
    remote.v6.is_wanted = settings.wants_v6;
    remote.v4.is_wanted = settings.wants_v4;
    remote.settings = std::move(settings);
  }
  begin_turn(now);
}

void ConnectRace::begin_turn(Instant now) {
  remotes_[turn_].turn_began = now;
  next_start_ = now;
  ask(turn_, now);
}

void ConnectRace::ask(std::size_t number, Instant now) {
  const auto ask_for = [&](Asked& asked, Family family) {
    if (!asked.is_wanted || asked.since) return;
    asked.since = now;
    actions_.push_back(LookUp{.remote = number, .family = family});
  };
  // RFC 8305, section 3: AAAA first.
  ask_for(remotes_[number].v6, Family::V6);
  ask_for(remotes_[number].v4, Family::V4);
}

void ConnectRace::handle_addresses(std::size_t number, Family family,
                                   std::span<const Endpoint> addresses, Instant now) {
  Remote& remote = remotes_[number];
  Asked& asked = family == Family::V6 ? remote.v6 : remote.v4;
  if (verdict_ != Verdict::Open || !asked.is_open()) return;
  asked.is_answered = true;
  for (const Endpoint& address : addresses.first(std::min(addresses.size(), kAddressesMax))) {
    if (family_of(address) == family) asked.left.push_back(address);
  }
  std::ranges::stable_sort(asked.left, {}, [&](const Endpoint& address) {
    return rank(remote.settings.history, address);
  });
  remote.address_count += asked.left.size();
  if (!asked.left.empty() && !remote.known_since) remote.known_since = now;
  settle(now);
}

void ConnectRace::handle_refusal(std::size_t number, Instant now) {
  Attempt& attempt = attempts_[number];
  if (verdict_ != Verdict::Open || attempt.is_over || attempt.is_refused) return;
  attempt.is_refused = true;
  // RFC 8305, section 5: what has failed need not be waited for.
  if (number + 1 == attempts_.size()) next_start_ = now;
  settle(now);
}

void ConnectRace::handle_answer(std::size_t number, Instant) {
  if (verdict_ != Verdict::Open || attempts_[number].is_over) return;
  winner_ = number;
  end(Verdict::Won);
}

void ConnectRace::handle_timeout(Instant now) {
  if (verdict_ == Verdict::Open) settle(now);
}

void ConnectRace::settle(Instant now) {
  expire(now);
  for (;;) {
    const auto candidate = next_candidate();
    if (candidate) {
      if (now < std::max(candidate->from, next_start_)) break;
      start(*candidate, now);
      continue;
    }
    const bool is_hopeless = is_tried(remotes_[turn_]) && !has_hope(turn_);
    if (is_last_turn() || (now < next_turn_at() && !is_hopeless)) break;
    ++turn_;
    begin_turn(now);
  }
  // One ahead, so that its name is known when its turn comes.
  if (!is_last_turn() && is_tried(remotes_[turn_])) ask(turn_ + 1, now);
  const bool all_are_tried =
      is_last_turn() &&
      std::ranges::all_of(remotes_, [this](const Remote& remote) { return is_tried(remote); });
  if (all_are_tried && !has_hope(std::nullopt)) end(Verdict::Lost);
}

/// Ends what has been waited for long enough.
void ConnectRace::expire(Instant now) {
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const Attempt& attempt = attempts_[i];
    const Duration patience = remotes_[attempt.remote].settings.connect_timeout;
    if (!attempt.is_over && now >= attempt.started + patience) abandon(i);
  }
  for (Remote& remote : remotes_) {
    for (Asked* const asked : {&remote.v6, &remote.v4}) {
      if (!asked->since || !asked->is_open()) continue;
      if (now >= *asked->since + remote.settings.connect_timeout) asked->is_answered = true;
    }
  }
}

/// All its addresses are known and have been started.
bool ConnectRace::is_tried(const Remote& remote) const {
  return !remote.v6.is_open() && !remote.v4.is_open() && remote.v6.left.empty() &&
         remote.v4.left.empty();
}

/// Whether an attempt runs that nobody has refused; of one server, or of any.
bool ConnectRace::has_hope(std::optional<std::size_t> remote) const {
  return std::ranges::any_of(attempts_, [&](const Attempt& attempt) {
    return (!remote || attempt.remote == *remote) && !attempt.is_over && !attempt.is_refused;
  });
}

Instant ConnectRace::next_turn_at() const {
  const Remote& remote = remotes_[turn_];
  const Instant since =
      remote.last_family ? std::max(*remote.turn_began, remote.last_start) : *remote.turn_began;
  return since + std::min(kNextRemoteDelay, remote.settings.connect_timeout);
}

/// The server that comes first has the first of the starts.
std::optional<ConnectRace::Candidate> ConnectRace::next_candidate() const {
  std::optional<Candidate> earliest;
  for (std::size_t number = 0; number <= turn_; ++number) {
    const auto candidate = candidate_of(number);
    if (candidate && (!earliest || candidate->from < earliest->from)) earliest = candidate;
  }
  return earliest;
}

std::optional<ConnectRace::Candidate> ConnectRace::candidate_of(std::size_t number) const {
  const Remote& remote = remotes_[number];
  const bool has_v6 = !remote.v6.left.empty();
  const bool has_v4 = !remote.v4.left.empty();
  if (!has_v6 && !has_v4) return std::nullopt;
  Candidate candidate{.remote = number, .family = has_v6 ? Family::V6 : Family::V4, .from = {}};
  if (remote.last_family) {
    // RFC 8305, section 4: the families take turns.
    if (has_v6 && has_v4) {
      candidate.family = *remote.last_family == Family::V6 ? Family::V4 : Family::V6;
    }
  } else {
    const AddressHistory& history = remote.settings.history;
    const int v6_rank = has_v6 ? rank(history, remote.v6.left.front()) : 3;
    const int v4_rank = has_v4 ? rank(history, remote.v4.left.front()) : 3;
    candidate.family = v6_rank <= v4_rank ? Family::V6 : Family::V4;
    const bool v4_was_good = history.last_good && family_of(*history.last_good) == Family::V4;
    const int good_enough = candidate.family == Family::V6 && !v4_was_good ? 1 : 0;
    const bool may_improve =
        candidate.family == Family::V6 ? remote.v4.is_open() : remote.v6.is_open();
    if (may_improve && std::min(v6_rank, v4_rank) > good_enough) {
      candidate.from = *remote.known_since + kResolutionDelay;
    }
  }
  candidate.from = free_port_from(remote, candidate.family, candidate.from);
  return candidate;
}

/// A socket that has the local port already is left its chance first.
Instant ConnectRace::free_port_from(const Remote& remote, Family family, Instant from) const {
  if (!remote.settings.local_port) return from;
  for (const Attempt& attempt : attempts_) {
    if (attempt.is_over || attempt.is_refused || family_of(attempt.server) != family) continue;
    if (remotes_[attempt.remote].settings.local_port != remote.settings.local_port) continue;
    from = std::max(from, attempt.started + kNextRemoteDelay);
  }
  return from;
}

void ConnectRace::start(const Candidate& candidate, Instant now) {
  give_up_those_in_the_way(candidate);
  Remote& remote = remotes_[candidate.remote];
  std::deque<Endpoint>& left = candidate.family == Family::V6 ? remote.v6.left : remote.v4.left;
  const Attempt attempt{.remote = candidate.remote, .server = left.front(), .started = now};
  left.pop_front();
  remote.last_family = candidate.family;
  remote.last_start = now;
  next_start_ = now + kAttemptDelay;
  actions_.push_back(
      Start{.attempt = attempts_.size(), .remote = candidate.remote, .server = attempt.server});
  attempts_.push_back(attempt);
}

void ConnectRace::give_up_those_in_the_way(const Candidate& candidate) {
  const auto& local_port = remotes_[candidate.remote].settings.local_port;
  std::size_t running = 0;
  std::optional<std::size_t> oldest;
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    if (attempts_[i].is_over) continue;
    if (local_port && family_of(attempts_[i].server) == candidate.family &&
        remotes_[attempts_[i].remote].settings.local_port == local_port) {
      abandon(i);
      continue;
    }
    ++running;
    if (!oldest) oldest = i;
  }
  if (running >= kRunningMax) abandon(*oldest);
}

void ConnectRace::abandon(std::size_t attempt) {
  attempts_[attempt].is_over = true;
  actions_.push_back(Abandon{.attempt = attempt});
}

void ConnectRace::end(Verdict verdict) {
  verdict_ = verdict;
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const bool has_won = verdict == Verdict::Won && i == winner_;
    if (!attempts_[i].is_over && !has_won) abandon(i);
  }
}

std::optional<Instant> ConnectRace::poll_timeout() const {
  if (verdict_ != Verdict::Open) return std::nullopt;
  std::optional<Instant> earliest;
  if (const auto candidate = next_candidate()) {
    keep_earliest(earliest, std::max(candidate->from, next_start_));
  } else if (!is_last_turn()) {
    keep_earliest(earliest, next_turn_at());
  }
  for (const Attempt& attempt : attempts_) {
    if (attempt.is_over) continue;
    keep_earliest(earliest, attempt.started + remotes_[attempt.remote].settings.connect_timeout);
  }
  for (const Remote& remote : remotes_) {
    for (const Asked* const asked : {&remote.v6, &remote.v4}) {
      if (!asked->since || !asked->is_open()) continue;
      keep_earliest(earliest, *asked->since + remote.settings.connect_timeout);
    }
  }
  return earliest;
}

std::optional<ConnectRace::Action> ConnectRace::poll_action() {
  if (actions_.empty()) return std::nullopt;
  const Action action = actions_.front();
  actions_.pop_front();
  return action;
}

std::size_t ConnectRace::winner() const {
  RW_ASSERT(verdict_ == Verdict::Won);
  return winner_;
}

std::size_t ConnectRace::address_count(std::size_t remote) const {
  return remotes_[remote].address_count;
}

}  // namespace ringway
