#include "dataplane/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "dataplane/link_message.h"

namespace ringway {

/// The steps from settings to a listening socket.
class TcpListenerOpener {
 public:
  explicit TcpListenerOpener(const TcpListenSettings& settings) : settings_(settings) {}

  /// Decides the kind of socket, and opens and closes one to see whether the port is free. Sets
  /// the port if it was left to the kernel.
  Result<void> probe();
  Result<TcpListener> open(bool share_port) const;
  [[nodiscard]] bool without_ipv6() const { return kernel_.without_ipv6; }

 private:
  TcpListenSettings settings_;
  KernelFamily kernel_;
};

namespace {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

ListenPlace place_of(const TcpListenSettings& settings) {
  return {Transport::Tcp, settings.address, settings.port, settings.family};
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

std::optional<Endpoint> name_by(NameOf ask, int fd) {
  std::array<std::uint8_t, kSocketNameSize> name{};
  socklen_t size = name.size();
  if (ask(fd, reinterpret_cast<sockaddr*>(name.data()), &size) != 0) return std::nullopt;
  return decode_socket_name(Bytes(name).first(size));
}

}  // namespace

std::optional<TcpSocket> TcpSocket::adopt(UniqueFd fd) {
  TcpSocket socket(std::move(fd));
  if (!socket.remote() || !socket.local()) return std::nullopt;
  socket.set_options();
  return socket;
}

Result<TcpSocket> TcpSocket::open(bool ipv6) {
  UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) {
    return fail(std::string("cannot create a socket: ") + std::strerror(errno), {},
                errno == EMFILE ? "raise the limit of open files" : "");
  }
  TcpSocket socket(std::move(fd));
  if (ipv6) static_cast<void>(set_option(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0));
  socket.set_options();
  return socket;
}

/// None of these is worth to go without a connection.
void TcpSocket::set_options() const {
  set_option(fd(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentMax);
  set_option(fd(), SOL_SOCKET, SO_KEEPALIVE, 1);
}

std::optional<Endpoint> TcpSocket::remote() const { return name_by(::getpeername, fd()); }

std::optional<Endpoint> TcpSocket::local() const { return name_by(::getsockname, fd()); }

void TcpSocket::end_sending() const { ::shutdown(fd(), SHUT_WR); }

void TcpSocket::end() const { ::shutdown(fd(), SHUT_RDWR); }

void TcpSocket::reset_on_close() const {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

Endpoint TcpListener::local() const {
  const std::optional<Endpoint> endpoint = name_by(::getsockname, fd());
  RW_ASSERT(endpoint.has_value());
  return *endpoint;
}

Result<void> TcpListenerOpener::probe() {
  const Result<KernelFamily> kernel = kernel_family(place_of(settings_));
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = *kernel;
  const Result<TcpListener> alone = open(false);
  if (!alone) return std::unexpected(alone.error());
  settings_.port = alone->local().port;
  return {};
}

Result<TcpListener> TcpListenerOpener::open(bool share_port) const {
  UniqueFd socket(::socket(kernel_.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return fail(std::string("cannot create a socket: ") + std::strerror(errno),
                place_of(settings_).to_string(),
                errno == EMFILE ? "raise the limit of open files" : "");
  }
  const int fd = socket.get();
  // Connections of the server before that are still dying do not keep the port; a listener does.
  bool set = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (kernel_.ipv6) {
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                            settings_.family == SocketFamily::V6Only ? 1 : 0);
  }
  if (share_port) set = set && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (auto routed = set_socket_route(fd, settings_.route); !routed) {
    return std::unexpected(routed.error());
  }
  const SocketName name = SocketName::of({.address = settings_.address.value_or(IpAddress()),
                                          .port = settings_.port,
                                          .scope_id = settings_.scope_id},
                                         kernel_.ipv6);
  if (!set || ::bind(fd, name.get(), name.size) != 0 || ::listen(fd, TcpListener::kBacklog) != 0) {
    return std::unexpected(explain_bind_failure(errno, place_of(settings_)));
  }
  return TcpListener(std::move(socket));
}

Result<TcpListenerGroup> open_tcp_listeners(const TcpListenSettings& settings,
                                            std::uint16_t count) {
  RW_ASSERT(count > 0);
  TcpListenerOpener opener(settings);
  if (const Result<void> free = opener.probe(); !free) return std::unexpected(free.error());
  TcpListenerGroup group{.listeners = {}, .without_ipv6 = opener.without_ipv6()};
  for (std::uint16_t i = 0; i < count; ++i) {
    Result<TcpListener> listener = opener.open(true);
    if (!listener) return std::unexpected(listener.error());
    group.listeners.push_back(std::move(*listener));
  }
  return group;
}

}  // namespace ringway
