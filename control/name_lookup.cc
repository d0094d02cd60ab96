#include "control/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// What getaddrinfo_a() reads and writes until it is done, which may be after we have given up.
struct Request {
  std::string name;
  addrinfo hints{};
  gaicb block{};

  Request(std::string wanted, int family) : name(std::move(wanted)) {
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    block.ar_name = name.c_str();
    block.ar_request = &hints;
  }
  ~Request() {
    if (block.ar_result != nullptr) ::freeaddrinfo(block.ar_result);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
};

int family_number(LinkFamily family) {
  switch (family) {
    case LinkFamily::Both: return AF_UNSPEC;
    case LinkFamily::V4Only: return AF_INET;
    case LinkFamily::V6Only: return AF_INET6;
  }
  return AF_UNSPEC;
}

/// EAI_INPROGRESS when `patience` is over.
int wait_for(Request& request, Duration patience) {
  const gaicb* const waiting[] = {&request.block};
  const Instant give_up = monotonic_now() + patience;
  for (;;) {
    const int state = ::gai_error(&request.block);
    const Duration left = give_up - monotonic_now();
    if (state != EAI_INPROGRESS || left <= Duration{0}) return state;
    const timespec timeout{.tv_sec = left / 1s, .tv_nsec = (left % 1s).count()};
    ::gai_suspend(waiting, 1, &timeout);
  }
}

std::vector<Endpoint> endpoints_of(const addrinfo* list) {
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = decode_socket_name(
        {reinterpret_cast<const std::uint8_t*>(entry->ai_addr), entry->ai_addrlen});
    if (!endpoint || std::ranges::find(endpoints, *endpoint) != endpoints.end()) continue;
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

}  // namespace

Result<std::vector<Endpoint>> look_up_name(const std::string& name, LinkFamily family,
                                           Duration patience) {
  auto request = std::make_unique<Request>(name, family_number(family));
  gaicb* requests[] = {&request->block};
  if (const int failure = ::getaddrinfo_a(GAI_NOWAIT, requests, 1, nullptr); failure != 0) {
    return fail(fmt::format("cannot look up {}: {}", name, ::gai_strerror(failure)));
  }
  const int failure = wait_for(*request, patience);
  if (failure == EAI_INPROGRESS) {
    // A request that a thread of the library works on cannot be taken back: it keeps its memory.
    if (::gai_cancel(&request->block) != EAI_CANCELED) static_cast<void>(request.release());
    return fail(fmt::format("no answer about {} within {} seconds", name, patience / 1s), {},
                "see that the name servers can be reached");
  }
  if (failure != 0) {
    return fail(fmt::format("cannot find {}: {}", name, ::gai_strerror(failure)), {},
                "check the name");
  }
  std::vector<Endpoint> endpoints = endpoints_of(request->block.ar_result);
  if (endpoints.empty()) return fail(fmt::format("{} has no address", name), {}, "check the name");
  return endpoints;
}

}  // namespace ringway
