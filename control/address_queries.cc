#include "control/address_queries.h"

#include <fmt/format.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

using Family = ConnectRace::Family;

/// What a thread takes with it.
struct Question {
  std::string host;
  Family family = Family::V6;
  UniqueFd answer;
};

/// What it writes back, within one process.
struct RawAnswer {
  /// Of getaddrinfo().
  int failure = 0;
  std::size_t count = 0;
  std::array<Endpoint, ConnectRace::kAddressesMax> addresses;
};
static_assert(std::is_trivially_copyable_v<RawAnswer>);

RawAnswer resolve(const Question& question) {
  addrinfo hints{};
  hints.ai_family = question.family == Family::V6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  RawAnswer answer;
  addrinfo* found = nullptr;
  answer.failure = ::getaddrinfo(question.host.c_str(), nullptr, &hints, &found);
  if (answer.failure != 0) return answer;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = decode_socket_name(
        {reinterpret_cast<const std::uint8_t*>(entry->ai_addr), entry->ai_addrlen});
    if (endpoint && answer.count < answer.addresses.size()) {
      answer.addresses[answer.count++] = *endpoint;
    }
  }
  ::freeaddrinfo(found);
  return answer;
}

void* run(void* argument) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  const RawAnswer answer = resolve(*question);
  // Where nobody listens any more, that fails, and is nobody's loss.
  static_cast<void>(::send(question->answer.get(), &answer, sizeof answer, MSG_NOSIGNAL));
  return nullptr;
}

/// False when the system has no thread left.
bool start_thread(std::unique_ptr<Question> question) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  const bool started = pthread_create(&thread, &attributes, run, question.get()) == 0;
  pthread_attr_destroy(&attributes);
  if (started) static_cast<void>(question.release());
  return started;
}

}  // namespace

Result<void> AddressQueries::ask(const std::string& host, Family family) {
  const bool is_asked = std::ranges::any_of(
      open_, [&](const Open& open) { return open.host == host && open.family == family; });
  if (is_asked) return {};
  if (open_.size() == kOpenMax) return fail("too many names are being looked up");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail(fmt::format("cannot look names up: {}", std::strerror(errno)));
  }
  UniqueFd ours(ends[0]);
  auto question = std::make_unique<Question>(
      Question{.host = host, .family = family, .answer = UniqueFd(ends[1])});
  if (!start_thread(std::move(question))) return fail("cannot look names up: no thread is left");
  open_.push_back({.host = host, .family = family, .answer = std::move(ours)});
  return {};
}

void AddressQueries::add_to(std::vector<pollfd>& waiting) const {
  for (const Open& open : open_) {
    waiting.push_back({.fd = open.answer.get(), .events = POLLIN, .revents = 0});
  }
}

std::optional<AddressQueries::Answer> AddressQueries::take() {
  for (auto open = open_.begin(); open != open_.end(); ++open) {
    RawAnswer raw;
    const ssize_t size = ::recv(open->answer.get(), &raw, sizeof raw, MSG_DONTWAIT);
    if (size < 0) continue;
    Answer answer{.host = std::move(open->host), .family = open->family};
    open_.erase(open);
    if (size != static_cast<ssize_t>(sizeof raw)) {
      answer.failure = "the look-up ended without an answer";
      return answer;
    }
    answer.addresses.assign(raw.addresses.begin(),
                            raw.addresses.begin() + static_cast<std::ptrdiff_t>(raw.count));
    if (raw.failure != 0) {
      answer.failure = ::gai_strerror(raw.failure);
    } else if (raw.count == 0) {
      answer.failure = "it has no address";
    }
    return answer;
  }
  return std::nullopt;
}

}  // namespace ringway
