#include "control/round_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace ringway {

RoundPlan::RoundPlan(const ClientConfig& config, RandomSource& random)
    : retry_(config.retry), shuffled_(config.remotes.size()), histories_(config.remotes.size()) {
  RW_ASSERT(!shuffled_.empty());
  std::iota(shuffled_.begin(), shuffled_.end(), std::size_t{0});
  if (!config.remote_random) return;
  for (std::size_t left = shuffled_.size(); left > 1; --left) {
    std::swap(shuffled_[left - 1], shuffled_[random_below(random, left)]);
  }
}

std::vector<std::size_t> RoundPlan::order() const {
  std::vector<std::size_t> order = shuffled_;
  std::ranges::rotate(order, order.begin() + static_cast<std::ptrdiff_t>(current_));
  return order;
}

void RoundPlan::note_lost(bool are_unnamed, Instant now) {
  ++failures_;
  if (!are_unnamed) {
    unnamed_since_.reset();
  } else if (!unnamed_since_) {
    unnamed_since_ = now;
  }
  // What was wrong with them is no reason to avoid them any more: nobody else is there.
  for (AddressHistory& history : histories_) history.blamed.clear();
}

void RoundPlan::note_failed(std::size_t remote, const Endpoint& server, std::size_t address_count) {
  ++failures_;
  unnamed_since_.reset();
  AddressHistory& history = histories_[remote];
  if (history.last_good == server) history.last_good.reset();
  if (std::ranges::find(history.blamed, server) == history.blamed.end()) {
    history.blamed.push_back(server);
  }
  if (history.blamed.size() >= address_count) move_on(remote);
}

void RoundPlan::note_connected(std::size_t remote, const Endpoint& server) {
  failures_ = 0;
  unnamed_since_.reset();
  stay_at(remote, server);
}

void RoundPlan::stay_at(std::size_t remote, const Endpoint& server) {
  histories_[remote] = {.last_good = server, .blamed = {}};
  const auto found = std::ranges::find(shuffled_, remote);
  current_ = static_cast<std::size_t>(found - shuffled_.begin());
}

void RoundPlan::move_on(std::size_t from) {
  histories_[from].blamed.clear();
  const auto found = std::ranges::find(shuffled_, from);
  current_ = (static_cast<std::size_t>(found - shuffled_.begin()) + 1) % shuffled_.size();
}

Duration RoundPlan::take_wait() {
  Duration wait = retry_.wait;
  for (std::uint32_t i = kRoundsAtOnePace; i < failures_ && wait < retry_.wait_max; ++i) wait *= 2;
  return std::max(std::min(wait, retry_.wait_max), std::exchange(wait_asked_for_, Duration{0}));
}

bool RoundPlan::is_exhausted() const {
  return retry_.attempts_max && failures_ >= *retry_.attempts_max;
}

bool RoundPlan::is_unnamed_for_too_long(Instant now) const {
  return retry_.resolve_for && unnamed_since_ && now >= *unnamed_since_ + *retry_.resolve_for;
}

}  // namespace ringway
