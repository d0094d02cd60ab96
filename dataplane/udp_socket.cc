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
#include "base/random.h"
#include "dataplane/link_message.h"
#include "dataplane/link_steering.h"
#include "dataplane/outer_fragments.h"

namespace ringway {

/// The steps from settings to a bound socket.
class UdpSocketOpener {
 public:
  explicit UdpSocketOpener(const UdpSocketSettings& settings) : settings_(settings) {}

  /// Decides the kind of socket, and opens and closes one to see whether the port is free. Sets
  /// the port if it was left to the kernel.
  Result<void> probe();
  Result<UdpSocket> open(bool share_port) const;
  [[nodiscard]] bool without_ipv6() const { return kernel_.without_ipv6; }

 private:
  Result<void> set_options(const UdpSocket& socket, bool share_port) const;

  UdpSocketSettings settings_;
  KernelFamily kernel_;
};

namespace {

ListenPlace place_of(const UdpSocketSettings& settings) {
  return {Transport::Udp, settings.address, settings.port, settings.family};
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

/// From which address the kernel would send; unspecified when it would not. Only a client asks: a
/// server's workers know where a datagram came in, and may open no socket.
IpAddress source_towards(const Endpoint& to) {
  const UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketName name = SocketName::of(to, true);
  std::array<std::uint8_t, kSocketNameSize> own{};
  socklen_t size = own.size();
  if (!fd || ::connect(fd.get(), name.get(), name.size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(own.data()), &size) != 0) {
    return {};
  }
  const auto endpoint = decode_socket_name(Bytes(own).first(size));
  return endpoint ? endpoint->address : IpAddress{};
}

}  // namespace

Result<void> UdpSocketOpener::probe() {
  const Result<KernelFamily> kernel = kernel_family(place_of(settings_));
  if (!kernel) return std::unexpected(kernel.error());
  kernel_ = *kernel;
  const Result<UdpSocket> alone = open(false);
  if (!alone) return std::unexpected(alone.error());
  settings_.port = alone->local().port;
  return {};
}

Result<UdpSocket> UdpSocketOpener::open(bool share_port) const {
  UniqueFd fd(
      ::socket(kernel_.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail(std::string("cannot create a socket: ") + std::strerror(errno),
                place_of(settings_).to_string(),
                errno == EMFILE ? "raise the limit of open files" : "");
  }
  UdpSocket socket(std::move(fd), kernel_.ipv6);
  if (kernel_.ipv6) {
    socket.raw_fd_ =
        UniqueFd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  }
  if (const Result<void> set = set_options(socket, share_port); !set) {
    return std::unexpected(set.error());
  }
  // Before bind(): another process may have the port on another interface.
  if (auto set = set_socket_route(socket.fd(), settings_.route); !set) {
    return std::unexpected(set.error());
  }
  const SocketName name = SocketName::of({.address = settings_.address.value_or(IpAddress()),
                                          .port = settings_.port,
                                          .scope_id = settings_.scope_id},
                                         kernel_.ipv6);
  if (::bind(socket.fd(), name.get(), name.size) != 0) {
    return std::unexpected(explain_bind_failure(errno, place_of(settings_)));
  }
  return socket;
}

Result<void> UdpSocketOpener::set_options(const UdpSocket& socket, bool share_port) const {
  const int fd = socket.fd();
  // PROBE sends with DF, fragments nothing and believes no ICMP message, which anybody can forge: a
  // datagram is as large as PathMtu says, or it is lost and PathMtu finds out. An IPv4 peer of a
  // dual-stack socket follows the IPv4 option, so both are set. Errors are not asked for
  // (IP_RECVERR): one about one peer would fail the next send to another.
  bool set = set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (kernel_.ipv6) {
    // Said for both values: the default of net.ipv6.bindv6only differs between machines.
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                            settings_.family == SocketFamily::V6Only ? 1 : 0);
    set = set && set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
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
    return fail(std::string("cannot set up a socket: ") + std::strerror(errno),
                place_of(settings_).to_string(), "Linux 6.1 or newer is needed");
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

int UdpSocket::send_divisible(const LinkEndpoint& to, Bytes datagram) const {
  if (!to.remote.address.is_v4()) return send_in_fragments(to, datagram);
  static_cast<void>(set_option(fd(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT));
  const int error = send(to, datagram);
  const bool is_as_before = set_option(fd(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  RW_ASSERT(is_as_before);
  return error;
}

int UdpSocket::send_in_fragments(const LinkEndpoint& to, Bytes datagram) const {
  if (!raw_fd_) return EPERM;
  const Endpoint own = local();
  IpAddress from = to.local.is_unspecified() ? own.address : to.local;
  if (from.is_unspecified()) from = source_towards(to.remote);
  if (from.is_unspecified()) return ENETUNREACH;
  std::array<std::uint8_t, 4> identification{};
  SystemRandom().fill(identification);

  // A raw socket has no ports, and the kernel wants none.
  SocketName name = SocketName::of(
      {.address = to.remote.address, .port = 0, .scope_id = to.remote.scope_id}, true);
  OuterFragments fragments({.from = {.address = from, .port = own.port},
                            .to = to.remote,
                            .identification = load_be32(identification.data())},
                           datagram);
  std::array<std::uint8_t, OuterFragments::kSizeMax> room;
  while (!fragments.is_done()) {
    const MutableBytes packet = fragments.write_next(room);
    iovec vector = {.iov_base = packet.data(), .iov_len = packet.size()};
    msghdr message{};
    message.msg_name = name.bytes.data();
    message.msg_namelen = name.size;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    // Of the calls that send, this is the one that a confined worker has.
    if (::sendmsg(raw_fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return errno;
  }
  return 0;
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

std::optional<unsigned> UdpSocket::incoming_core() const {
  int value = -1;
  socklen_t size = sizeof value;
  if (::getsockopt(fd(), SOL_SOCKET, SO_INCOMING_CPU, &value, &size) != 0 || value < 0) {
    return std::nullopt;
  }
  return static_cast<unsigned>(value);
}

std::uint32_t UdpSocket::unsent_size() const {
  int value = 0;
  const int result = ::ioctl(fd(), SIOCOUTQ, &value);
  RW_ASSERT(result == 0);
  return static_cast<std::uint32_t>(value);
}

}  // namespace ringway
