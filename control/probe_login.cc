#include "control/probe_login.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/unique_fd.h"
#include "control/client_core.h"
#include "control/config/profile_parser.h"
#include "control/tls_setup.h"
#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// Login and search; a search takes a few round trips and the time of some lost probes.
constexpr Duration kLimit = 30s;
constexpr std::size_t kDatagramMax = 2048;

/// A socket to one server that sends with DF, whatever the kernel believes of the path.
Result<UniqueFd> open_socket(const Endpoint& server) {
  const bool ipv6 = !server.address.is_v4();
  UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int probing = ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
  const SocketName name = SocketName::of(server, ipv6);
  const bool is_open =
      fd &&
      ::setsockopt(fd.get(), ipv6 ? int{IPPROTO_IPV6} : int{IPPROTO_IP},
                   ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &probing, sizeof probing) == 0 &&
      ::connect(fd.get(), name.get(), name.size) == 0;
  if (!is_open) return fail(std::strerror(errno));
  return fd;
}

/// One login, from the first packet to the goodbye.
class PathLogin {
 public:
  PathLogin(UniqueFd fd, ClientSettings settings, const TlsWrap& wrap, const TlsContext& tls)
      : fd_(std::move(fd)), core_(settings, wrap, tls, random_, read_clocks()) {}

  /// The measured MTU, or why there is none.
  std::expected<std::uint16_t, std::string> run();

 private:
  void send_all();
  void wait();
  void receive_all();
  void take_events();
  void look_at_path();

  SystemRandom random_;
  UniqueFd fd_;
  ClientCore core_;
  bool is_connected_ = false;
  bool is_leaving_ = false;
  bool is_over_ = false;
  std::expected<std::uint16_t, std::string> found_ = std::unexpected("the login took too long");
};

std::expected<std::uint16_t, std::string> PathLogin::run() {
  const Instant give_up = monotonic_now() + kLimit;
  while (!is_over_ && monotonic_now() < give_up) {
    send_all();
    wait();
    receive_all();
    core_.handle_timeout(read_clocks());
    take_events();
    if (!is_leaving_) look_at_path();
  }
  return found_;
}

void PathLogin::send_all() {
  std::array<std::uint8_t, kDatagramMax> scratch;
  const Now now = read_clocks();
  while (const auto datagram = core_.poll_transmit(scratch, now)) {
    const ssize_t sent = ::send(fd_.get(), datagram->data(), datagram->size(), 0);
    if (sent < 0 && errno == EMSGSIZE) core_.note_refused(datagram->size(), now);
  }
}

void PathLogin::wait() {
  const auto timeout = core_.poll_timeout();
  const Duration left = timeout ? *timeout - monotonic_now() : Duration{1s};
  pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left / 1ms + 1, 0, 200)));
}

void PathLogin::receive_all() {
  std::array<std::uint8_t, kDatagramMax> datagram;
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), datagram.data(), datagram.size(), 0);
    if (size < 0 && errno != EAGAIN)
      continue;  // What ICMP said is no answer; the next read goes on.
    if (size < 0) return;
    // Inner packets are for nobody.
    core_.handle_datagram(MutableBytes(datagram).first(static_cast<std::size_t>(size)),
                          read_clocks());
  }
}

void PathLogin::take_events() {
  while (const auto event = core_.poll_event()) {
    if (std::holds_alternative<ClientConnected>(*event)) {
      is_connected_ = true;
      found_ = std::unexpected("the search took too long");
    }
    if (const auto* end = std::get_if<ClientDisconnected>(&*event)) {
      is_over_ = true;
      if (is_leaving_) continue;
      const bool is_refused = end->cause == ClientDisconnected::Cause::AuthFailed;
      found_ = std::unexpected((is_refused ? "AUTH_FAILED " : "the login failed: ") +
                               log::escape(end->reason));
    }
  }
}

void PathLogin::look_at_path() {
  const PathMtu* path = core_.path();
  if (!is_connected_ || path == nullptr) return;
  if (path->is_measured()) {
    found_ = path->size();
  } else if (path->phase() == PathMtu::Phase::Silent) {
    found_ = std::unexpected("the server answers no probe");
  } else {
    return;
  }
  is_leaving_ = true;
  core_.leave(read_clocks());
}

Result<ClientSettings> settings_of(const ClientConfig& config) {
  ClientSettings settings{.channel = {.side = Side::Client,
                                      .hand_window = config.timers.hand_window,
                                      .tls_timeout = config.timers.tls_timeout},
                          .data_ciphers = config.data_ciphers,
                          .path = PathKind::Searched};
  if (!config.login.is_wanted) return settings;
  UserPassword user;
  if (config.auth_user_pass.is_set()) {
    Result<UserPassword> read = read_user_password(config.auth_user_pass);
    if (!read) return std::unexpected(read.error());
    user = std::move(*read);
  }
  if (user.password.empty() || !config.login.challenge.empty()) {
    return fail("the profile asks its user for something, and a probe asks nobody", config.source,
                "leave --path-mtu out, or write `auth-user-pass FILE`");
  }
  settings.channel.login =
      std::make_shared<const Login>(Login{std::move(user.username), std::move(user.password)});
  return settings;
}

}  // namespace

Result<std::vector<ProbePath>> measure_paths(const ClientConfig& config,
                                             std::span<const Endpoint> servers) {
  const Result<TlsContext> tls = make_tls_context(Side::Client, config.tls, wall_now());
  if (!tls) return std::unexpected(tls.error());
  const Result<TlsWrap> wrap = make_tls_wrap(Side::Client, config.wrap);
  if (!wrap) return std::unexpected(wrap.error());
  Result<ClientSettings> settings = settings_of(config);
  if (!settings) return std::unexpected(settings.error());
  std::vector<ProbePath> paths;
  for (const Endpoint& server : servers) {
    settings->server = server;
    ProbePath path{.target = server, .mtu = std::nullopt, .failure = {}};
    Result<UniqueFd> fd = open_socket(server);
    if (fd) {
      const auto found = PathLogin(std::move(*fd), *settings, *wrap, *tls).run();
      if (found) {
        path.mtu = *found;
      } else {
        path.failure = found.error();
      }
    } else {
      path.failure = fd.error().what;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace ringway
