#include "perf/src/loadgen/load_loop.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace ringway::loadgen {
namespace {

/// A socket each, and some for everything else.
Result<void> raise_descriptor_limit(std::size_t clients) {
  const rlim_t wanted = clients + 256;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return {};
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max(limit.rlim_max, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return fail("cannot have " + std::to_string(wanted) + " open files", "RLIMIT_NOFILE",
              "run it as root, or with fewer clients");
}

}  // namespace

Result<LoadLoop> LoadLoop::make(const Setup& setup) {
  if (auto raised = raise_descriptor_limit(setup.client_count); !raised) {
    return std::unexpected(raised.error());
  }
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail("cannot make an epoll instance");
  LoadLoop loop(setup.parts, std::move(epoll));
  loop.clients_.reserve(setup.client_count);
  for (std::size_t i = 0; i < setup.client_count; ++i) {
    loop.clients_.push_back({LoadClient(setup.servers[i % setup.servers.size()]), std::nullopt});
  }
  return loop;
}

bool LoadLoop::start(std::size_t number, Now now) {
  if (!clients_[number].client.start(parts_, now)) return false;
  if (!watch(number)) return false;
  settle(number, now);
  return true;
}

bool LoadLoop::float_away(std::size_t number) {
  return clients_[number].client.move_to_new_port() && watch(number);
}

/// A closed socket leaves the epoll by itself.
void LoadLoop::abandon(std::size_t number) { clients_[number].client.abandon(); }

bool LoadLoop::watch(std::size_t number) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, clients_[number].client.fd(), &event) == 0;
}

void LoadLoop::settle(std::size_t number, Now now) {
  LoadClient& client = clients_[number].client;
  client.pump(now);
  while (const auto event = client.poll_event(now)) {
    if (observer_ != nullptr) observer_->on_event(number, *event, now);
  }
  client.pump(now);
  schedule(number);
}

void LoadLoop::schedule(std::size_t number) {
  Place& place = clients_[number];
  if (!place.client.has_core()) return;
  const std::optional<Instant> deadline = place.client.core().poll_timeout();
  if (!deadline || (place.scheduled && *place.scheduled <= *deadline)) return;
  place.scheduled = deadline;
  deadlines_.push({.at = *deadline, .number = number});
}

void LoadLoop::run_timers(Now now) {
  while (!deadlines_.empty() && deadlines_.top().at <= now.instant) {
    const Due due = deadlines_.top();
    deadlines_.pop();
    Place& place = clients_[due.number];
    if (place.scheduled != due.at) continue;
    place.scheduled.reset();
    if (!place.client.has_core()) continue;
    place.client.core().handle_timeout(now);
    settle(due.number, now);
  }
}

void LoadLoop::read_from(std::size_t number) {
  LoadClient& client = clients_[number].client;
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> buffer;
  bool is_control = false;
  Now now = read_clocks();
  for (unsigned i = 0; i < kDatagramsPerEvent; ++i) {
    const auto received = client.receive(buffer, now);
    if (!received) break;
    if (received->packet.empty()) {
      is_control = true;
    } else if (observer_ != nullptr) {
      observer_->on_packet(number, received->packet, now);
    }
    now.instant = monotonic_now();
  }
  if (is_control) settle(number, now);
}

void LoadLoop::turn(Instant until) {
  const Instant now = monotonic_now();
  Instant wake = until;
  if (!deadlines_.empty()) wake = std::min(wake, deadlines_.top().at);
  const Duration wait = std::max(wake - now, Duration{0});
  const timespec timeout{.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = ::epoll_pwait2(epoll_.get(), events.data(), kEventsPerTurn, &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const std::size_t number = events[static_cast<std::size_t>(i)].data.u64;
    if (clients_[number].client.fd() >= 0) read_from(number);
  }
  run_timers(read_clocks());
}

}  // namespace ringway::loadgen
