#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/unique_fd.h"
#include "dataplane/link_message.h"
#include "dataplane/udp_socket.h"
#include "tests/support/patience.h"

/// What the tests of the link do with real sockets, in the network namespace of their process.
namespace ringway::test {

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

/// A command of iproute2 or sysctl that must succeed.
inline void run(const std::string& command) {
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT(concurrency-mt-unsafe)
}

/// A client's UDP socket, connected, so that it hears an answer only if that comes from the very
/// address and port that it sent to.
class LinkClient {
 public:
  explicit LinkClient(const Endpoint& server, const std::optional<IpAddress>& from = {})
      : fd_(::socket(server.address.is_v4() ? AF_INET : AF_INET6,
                     SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const bool ipv6 = !server.address.is_v4();
    const int receive_buffer_size = 4 << 20;
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_size,
                           sizeof receive_buffer_size),
              0);
    if (from) {
      const SocketName name = SocketName::of({.address = *from}, ipv6);
      EXPECT_EQ(::bind(fd_.get(), name.get(), name.size), 0) << std::strerror(errno);
    }
    const SocketName name = SocketName::of(server, ipv6);
    EXPECT_EQ(::connect(fd_.get(), name.get(), name.size), 0) << std::strerror(errno);
  }

  void send(Bytes datagram) const {
    EXPECT_EQ(::send(fd_.get(), datagram.data(), datagram.size(), 0),
              static_cast<ssize_t>(datagram.size()))
        << std::strerror(errno);
  }
  /// Datagrams of one size, of which the last may be smaller, as the kernel's own GSO sends them.
  void send_train(const std::vector<std::vector<std::uint8_t>>& datagrams) const {
    std::vector<std::uint8_t> all;
    for (const auto& datagram : datagrams) all.insert(all.end(), datagram.begin(), datagram.end());
    const auto size = static_cast<std::uint16_t>(datagrams.front().size());
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof size)> control{};
    cmsghdr segment{};
    segment.cmsg_len = CMSG_LEN(sizeof size);
    segment.cmsg_level = SOL_UDP;
    segment.cmsg_type = UDP_SEGMENT;
    std::memcpy(control.data(), &segment, sizeof segment);
    std::memcpy(control.data() + CMSG_LEN(0), &size, sizeof size);
    iovec vector{.iov_base = all.data(), .iov_len = all.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    EXPECT_EQ(::sendmsg(fd_.get(), &header, 0), static_cast<ssize_t>(all.size()))
        << std::strerror(errno);
  }
  void set_traffic_class(int value) const {
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_TOS, &value, sizeof value);
    ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
  }
  /// The next datagram, or nothing in time.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> receive(
      int patience_ms = kPatienceMs) const {
    if (!is_readable(fd_.get(), patience_ms)) return std::nullopt;
    std::vector<std::uint8_t> datagram(65536);
    const ssize_t size = ::recv(fd_.get(), datagram.data(), datagram.size(), 0);
    if (size < 0) return std::nullopt;
    datagram.resize(static_cast<std::size_t>(size));
    return datagram;
  }
  [[nodiscard]] Endpoint local() const {
    std::array<std::uint8_t, kSocketNameSize> name{};
    socklen_t size = name.size();
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(name.data()), &size), 0);
    return decode_socket_name(Bytes(name).first(size)).value();
  }

 private:
  UniqueFd fd_;
};

/// Gives the loopback device an address and waits until it works: the kernel finishes IPv6
/// addresses behind the back of who adds them.
inline void add_loopback_address(const IpAddress& address) {
  run("ip addr replace " + Prefix::host(address).to_string() + " dev lo" +
      (address.is_v4() ? "" : " nodad"));
  const bool ipv6 = !address.is_v4();
  const UniqueFd own(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketName any = SocketName::of({}, ipv6);
  ASSERT_EQ(::bind(own.get(), any.get(), any.size), 0);
  std::array<std::uint8_t, kSocketNameSize> bound{};
  socklen_t size = bound.size();
  ASSERT_EQ(::getsockname(own.get(), reinterpret_cast<sockaddr*>(bound.data()), &size), 0);
  const Endpoint self{.address = address,
                      .port = decode_socket_name(bound)->port,
                      .scope_id = address.bytes()[0] == 0xfe ? 1u : 0u};
  const SocketName name = SocketName::of(self, ipv6);
  for (int attempt = 0; attempt < 100; ++attempt) {
    ::sendto(own.get(), "", 0, MSG_DONTWAIT, name.get(), name.size);
    if (is_readable(own.get(), 20)) return;
  }
  FAIL() << address.to_string() << " does not work";
}

struct Received {
  std::vector<std::uint8_t> datagram;
  LinkEndpoint from;
  std::size_t segment_size = 0;
  std::uint8_t ecn = 0;
};

/// What a worker does through its ring, done by a plain recvmsg().
inline std::optional<Received> receive_on(const UdpSocket& socket, int patience_ms = kPatienceMs) {
  if (!is_readable(socket.fd(), patience_ms)) return std::nullopt;
  std::vector<std::uint8_t> datagram(65536);
  std::array<std::uint8_t, kSocketNameSize> name{};
  alignas(cmsghdr) std::array<std::uint8_t, kSocketControlSize> control{};
  iovec vector{.iov_base = datagram.data(), .iov_len = datagram.size()};
  msghdr header{};
  header.msg_name = name.data();
  header.msg_namelen = name.size();
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket.fd(), &header, MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  datagram.resize(static_cast<std::size_t>(size));
  const auto arrival = decode_link_arrival(Bytes(name).first(header.msg_namelen),
                                           Bytes(control).first(header.msg_controllen), 0);
  if (!arrival) return std::nullopt;
  return Received{std::move(datagram), arrival->from, arrival->segment_size, arrival->ecn};
}

}  // namespace ringway::test
