#include "control/probe_shell.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "control/probe_socket.h"
#include "control/tls_setup.h"
#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// More than any server has; the rest is not asked.
constexpr std::size_t kAddressesMax = 64;

struct AddressListDelete {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

/// The name's addresses of one family; without any, the gap says why.
std::vector<Endpoint> look_up(const ProbeQuestion& question, bool ipv6,
                              std::vector<ProbeGap>& gaps) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_family = ipv6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int failure =
      ::getaddrinfo(question.host.c_str(), std::to_string(question.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, AddressListDelete> list(found);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = found; failure == 0 && entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = decode_socket_name(
        {reinterpret_cast<const std::uint8_t*>(entry->ai_addr), entry->ai_addrlen});
    if (endpoint && std::ranges::find(endpoints, *endpoint) == endpoints.end()) {
      endpoints.push_back(*endpoint);
    }
  }
  if (endpoints.empty()) {
    gaps.push_back({.ipv6 = ipv6, .reason = failure == 0 ? "no address" : ::gai_strerror(failure)});
  }
  return endpoints;
}

ProbeWrapping wrapping_of(WrapMode mode) {
  switch (mode) {
    case WrapMode::None: return ProbeWrapping::None;
    case WrapMode::TlsAuth: return ProbeWrapping::TlsAuth;
    case WrapMode::TlsCrypt: return ProbeWrapping::TlsCrypt;
  }
  return ProbeWrapping::None;
}

/// Until every attempt has ended.
void serve(std::deque<ProbeSocket>& sockets) {
  for (;;) {
    std::vector<pollfd> waiting;
    std::vector<ProbeSocket*> owners;
    std::optional<Instant> wake;
    for (ProbeSocket& socket : sockets) {
      socket.turn();
      if (socket.attempt().is_done()) continue;
      const auto timeout = socket.attempt().poll_timeout();
      if (timeout) wake = wake ? std::min(*wake, *timeout) : *timeout;
      waiting.push_back({.fd = socket.fd(), .events = socket.events(), .revents = 0});
      owners.push_back(&socket);
    }
    if (owners.empty()) return;
    const Duration wait = wake ? *wake - monotonic_now() : 1s;
    const int timeout_ms = static_cast<int>(std::clamp<std::int64_t>(wait / 1ms + 1, 0, 1000));
    ::poll(waiting.data(), waiting.size(), timeout_ms);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (waiting[i].revents != 0) owners[i]->handle_ready(waiting[i].revents);
    }
  }
}

}  // namespace

Result<ProbeReport> run_probe(const ProbeSettings& settings) {
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Client, settings.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  SystemRandom random;
  ProbeReport report;
  std::deque<ProbeSocket> sockets;
  std::vector<std::size_t> target_of;
  for (const ProbeQuestion& question : settings.questions) {
    ProbeTarget target{.host = question.host,
                       .port = question.port,
                       .transport = question.transport,
                       .wrapping = wrapping_of(settings.wrap.mode)};
    const bool is_literal = IpAddress::parse(question.host).has_value();
    for (const bool ipv6 : {false, true}) {
      if (question.family == (ipv6 ? LinkFamily::V4Only : LinkFamily::V6Only)) continue;
      for (const Endpoint& address : look_up(question, ipv6, target.gaps)) {
        if (sockets.size() == kAddressesMax) break;
        sockets.emplace_back(
            ProbeAttempt::Settings{
                .target = address, .transport = question.transport, .limit = settings.limit},
            *wrap, random);
        target_of.push_back(report.targets.size());
      }
    }
    // An address is of one family, and lacks nothing.
    if (is_literal) target.gaps.clear();
    report.targets.push_back(std::move(target));
  }
  serve(sockets);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    report.targets[target_of[i]].outcomes.push_back(sockets[i].attempt().outcome());
  }
  return report;
}

}  // namespace ringway
