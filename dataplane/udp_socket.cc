#include "dataplane/udp_socket.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/check.h"
#include "dataplane/link_message.h"
#include "dataplane/link_steering.h"

namespace ringway {

/// The steps from settings to a bound socket.
class UdpSocketOpener {
 public:
  explicit UdpSocketOpener(const UdpSocketSettings& settings) : settings_(settings) {}

  /// Decides the kind of socket, and opens and closes one to see whether the port is free. Sets
  /// the port if it was left to the kernel.
  Result<void> probe();
  Result<UdpSocket> open(bool share_port) const;
  [[nodiscard]] bool without_ipv6() const { return without_ipv6_; }

 private:
  Result<void> set_options(const UdpSocket& socket, bool share_port) const;

  UdpSocketSettings settings_;
  bool ipv6_ = true;
  bool without_ipv6_ = false;
};

namespace {

std::string where_of(const UdpSocketSettings& settings) {
  const std::string port = std::to_string(settings.port);
  if (settings.address) return Endpoint{*settings.address, settings.port}.to_string() + " (UDP)";
  switch (settings.family) {
    case SocketFamily::V4Only: return "port " + port + " (UDP, IPv4)";
    case SocketFamily::V6Only: return "port " + port + " (UDP, IPv6)";
    case SocketFamily::Both: break;
  }
  return "port " + port + " (UDP)";
}

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// The privileged form goes beyond net.core.rmem_max and wmem_max; without CAP_NET_ADMIN the kernel
/// grants what these allow.
void set_buffer_size(int fd, int forced, int plain, std::uint32_t size) {
  const int value = static_cast<int>(size);
  if (!set_option(fd, SOL_SOCKET, forced, value)) set_option(fd, SOL_SOCKET, plain, value);
}

std::uint32_t buffer_size_option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  const int result = ::getsockopt(fd, SOL_SOCKET, name, &value, &size);
  RW_ASSERT(result == 0);
  return static_cast<std::uint32_t>(value);
}

}  // namespace

Error explain_bind_failure(int error_number, const UdpSocketSettings& settings) {
  Error error{.what = "cannot listen", .where = where_of(settings), .advice = {}};
  switch (error_number) {
    case EADDRINUSE:
      error.what = "the port is in use by another process";
      error.advice = "stop it, or choose another port; `ss -lunp` shows who has it";
      break;
    case EADDRNOTAVAIL:
      error.what = "this machine does not have the address";
      error.advice =
          "correct `local`, or give the address to an interface before the start "
          "(`ip addr` shows what there is)";
      break;
    case EACCES:
    case EPERM:
      error.what = "not permitted to use the port";
      error.advice = settings.port < 1024 ? "ports below 1024 need root or CAP_NET_BIND_SERVICE"
                                          : "a security policy forbids it";
      break;
    default: error.what += std::string(": ") + std::strerror(error_number); break;
  }
  return error;
}

Result<void> UdpSocketOpener::probe() {
  if (settings_.address) {
    const bool v4 = settings_.address->is_v4();
    if (v4 ? settings_.family == SocketFamily::V6Only : settings_.family == SocketFamily::V4Only) {
      return fail("the address is not of the family that was asked for", where_of(settings_),
                  v4 ? "use `proto udp` or `proto udp4`" : "use `proto udp` or `proto udp6`");
    }
    ipv6_ = !v4;
  } else {
    ipv6_ = settings_.family != SocketFamily::V4Only;
  }
  if (ipv6_ && !UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) &&
      errno == EAFNOSUPPORT) {
    if (settings_.address || settings_.family == SocketFamily::V6Only) {
      return fail("the kernel has no IPv6", where_of(settings_),
                  "remove ipv6.disable=1 from the kernel's command line, or use `proto udp4`");
    }
    ipv6_ = false;
    without_ipv6_ = true;
  }

  const Result<UdpSocket> alone = open(false);
  if (!alone) return std::unexpected(alone.error());
  settings_.port = alone->local().port;
  return {};
}

Result<UdpSocket> UdpSocketOpener::open(bool share_port) const {
  UniqueFd fd(::socket(ipv6_ ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail(std::string("cannot create a socket: ") + std::strerror(errno), where_of(settings_),
                errno == EMFILE ? "raise the limit of open files" : "");
  }
  UdpSocket socket(std::move(fd), ipv6_);
  if (const Result<void> set = set_options(socket, share_port); !set) {
    return std::unexpected(set.error());
  }
  const SocketName name = SocketName::of(
      {.address = settings_.address.value_or(IpAddress()), .port = settings_.port}, ipv6_);
  if (::bind(socket.fd(), name.get(), name.size) != 0) {
    return std::unexpected(explain_bind_failure(errno, settings_));
  }
  return socket;
}

Result<void> UdpSocketOpener::set_options(const UdpSocket& socket, bool share_port) const {
  const int fd = socket.fd();
  // Fragment by IP, never lose. IPv4: OMIT sends without DF and looks at no ICMP message, so that
  // every router on the way may fragment and a forged message changes nothing. IPv6 routers do not
  // fragment: only the sender can, and only if it believes the "packet too big" that it gets, which
  // OMIT would ignore and DONT does not. An IPv4 peer of a dual-stack socket follows the IPv4
  // option, so both are set.
  bool set = set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (ipv6_) {
    // Said for both values: the default of net.ipv6.bindv6only differs between machines.
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                            settings_.family == SocketFamily::V6Only ? 1 : 0);
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    // Reports the local address of IPv4 datagrams too, in v4-mapped form.
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    // What it cannot say of the traffic class of IPv4 datagrams, the IPv4 option below does.
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  } else {
    set = set && set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
  }
  set = set && set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
  if (share_port) set = set && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!set) {
    return fail(std::string("cannot set up a socket: ") + std::strerror(errno), where_of(settings_),
                "Linux 6.1 or newer is needed");
  }
  const auto or_default = [](std::uint32_t size, std::uint32_t otherwise) {
    return size == 0 ? otherwise : size;
  };
  set_buffer_size(fd, SO_SNDBUFFORCE, SO_SNDBUF,
                  or_default(settings_.send_buffer_size, UdpSocket::kDefaultSendBufferSize));
  set_buffer_size(fd, SO_RCVBUFFORCE, SO_RCVBUF,
                  or_default(settings_.receive_buffer_size, UdpSocket::kDefaultReceiveBufferSize));
  return {};
}

Result<UdpSocketGroup> open_udp_sockets(const UdpSocketSettings& settings, std::uint16_t count) {
  RW_ASSERT(count > 0);
  UdpSocketOpener opener(settings);
  if (const Result<void> free = opener.probe(); !free) return std::unexpected(free.error());

  UdpSocketGroup group{.sockets = {}, .without_ipv6 = opener.without_ipv6()};
  group.sockets.reserve(count);
  group.gro = settings.gro;
  for (std::uint16_t i = 0; i < count; ++i) {
    Result<UdpSocket> socket = opener.open(true);
    if (!socket) return std::unexpected(socket.error());
    group.gro = group.gro && set_option(socket->fd(), SOL_UDP, UDP_GRO, 1);
    group.sockets.push_back(std::move(*socket));
  }
  group.steered = attach_link_steering(group.sockets.front().fd(), count).has_value();
  return group;
}

int UdpSocket::send(const LinkEndpoint& to, Bytes datagram) const {
  OutgoingMessage message;
  message.prepare(to, is_ipv6_, datagram);
  return ::sendmsg(fd(), &message.header(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

Result<UdpSocket> UdpSocket::duplicate() const {
  UniqueFd copy(::fcntl(fd(), F_DUPFD_CLOEXEC, 0));
  if (!copy) {
    return fail(std::string("cannot duplicate a socket: ") + std::strerror(errno), {},
                "raise the limit of open files");
  }
  return UdpSocket(std::move(copy), is_ipv6_);
}

Endpoint UdpSocket::local() const {
  std::array<std::uint8_t, kSocketNameSize> name{};
  socklen_t size = name.size();
  const int result = ::getsockname(fd(), reinterpret_cast<sockaddr*>(name.data()), &size);
  RW_ASSERT(result == 0);
  const auto endpoint = decode_socket_name(Bytes(name).first(size));
  RW_ASSERT(endpoint.has_value());
  return *endpoint;
}

std::uint32_t UdpSocket::receive_buffer_size() const { return buffer_size_option(fd(), SO_RCVBUF); }

std::uint32_t UdpSocket::send_buffer_size() const { return buffer_size_option(fd(), SO_SNDBUF); }

std::uint32_t UdpSocket::unsent_size() const {
  int value = 0;
  const int result = ::ioctl(fd(), SIOCOUTQ, &value);
  RW_ASSERT(result == 0);
  return static_cast<std::uint32_t>(value);
}

}  // namespace ringway
