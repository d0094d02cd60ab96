#include "perf/src/floor/link_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ringway::floor {
namespace {

/// Room for what a stack delivers in one go while the other direction is served.
constexpr int kSocketBufferSize = 8 << 20;

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

std::optional<in6_addr> parse_address(const std::string& text) {
  in6_addr address{};
  const std::string mapped = text.contains(':') ? text : "::ffff:" + text;
  if (::inet_pton(AF_INET6, mapped.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::size_t segment_size_of(msghdr& message, std::size_t received) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(control), sizeof size);
      return static_cast<std::size_t>(size);
    }
  }
  return received;
}

}  // namespace

Result<LinkSocket> LinkSocket::open(const Settings& settings) {
  LinkSocket link;
  link.fd_ = UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!link.fd_) return fail(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  const int fd = link.fd_.get();
  if (!set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) ||
      !set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferSize) ||
      !set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferSize) ||
      (settings.gro && !set_option(fd, SOL_UDP, UDP_GRO, 1))) {
    return fail(fmt::format("cannot set the socket's options: {}", std::strerror(errno)));
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (settings.listen_port != 0) {
    address.sin6_port = htons(settings.listen_port);
    if (::bind(fd, generic, sizeof address) < 0) {
      return fail(fmt::format("cannot listen: {}", std::strerror(errno)));
    }
    return link;
  }
  const auto server = parse_address(settings.server_address);
  if (!server) return fail("this is no IP address", settings.server_address);
  address.sin6_addr = *server;
  address.sin6_port = htons(settings.server_port);
  if (::connect(fd, generic, sizeof address) < 0) {
    return fail(fmt::format("cannot connect: {}", std::strerror(errno)), settings.server_address);
  }
  link.is_connected_ = true;
  return link;
}

std::optional<LinkSocket::Received> LinkSocket::receive(MutableBytes memory) {
  return receive_with(memory, MSG_DONTWAIT);
}

std::optional<LinkSocket::Received> LinkSocket::receive_waiting(MutableBytes memory) {
  return receive_with(memory, 0);
}

std::optional<LinkSocket::Received> LinkSocket::receive_with(MutableBytes memory, int flags) {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control;
  iovec span{.iov_base = memory.data(), .iov_len = memory.size()};
  msghdr message{};
  message.msg_iov = &span;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (!is_connected_) {
    message.msg_name = &peer_;
    message.msg_namelen = sizeof peer_;
  }
  const ssize_t size = ::recvmsg(fd_.get(), &message, flags);
  if (size <= 0) return std::nullopt;
  const auto received = static_cast<std::size_t>(size);
  return Received{.bytes = memory.first(received),
                  .segment_size = segment_size_of(message, received)};
}

bool LinkSocket::send(Bytes bytes, std::size_t segment_size) const {
  if (!is_connected_ && peer_.sin6_port == 0) return false;
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  iovec span{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &span;
  message.msg_iovlen = 1;
  if (!is_connected_) {
    message.msg_name = const_cast<sockaddr_in6*>(&peer_);
    message.msg_namelen = sizeof peer_;
  }
  if (segment_size < bytes.size()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto size = static_cast<std::uint16_t>(segment_size);
    std::memcpy(CMSG_DATA(header), &size, sizeof size);
  }
  return ::sendmsg(fd_.get(), &message, 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace ringway::floor
