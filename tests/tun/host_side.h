#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/unique_fd.h"
#include "tests/support/hex.h"
#include "tun/vnet_header.h"

/// What the tests do on the other side of a TUN device: the host's sockets, and a process without
/// privileges.
namespace ringway::test {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const {
    return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
  }
};

inline SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.address.is_v4()) {
    auto* v4 = static_cast<sockaddr_in*>(static_cast<void*>(&address.storage));
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    v4->sin_addr.s_addr = htonl(endpoint.address.v4_value());
    address.size = sizeof *v4;
  } else {
    auto* v6 = static_cast<sockaddr_in6*>(static_cast<void*>(&address.storage));
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::copy(endpoint.address.bytes().begin(), endpoint.address.bytes().end(),
              v6->sin6_addr.s6_addr);
    address.size = sizeof *v6;
  }
  return address;
}

inline UniqueFd udp_socket(bool v4) {
  return UniqueFd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/// Sends from the host towards `to`, which is routed into the TUN.
inline void send_udp(const Endpoint& to, Bytes payload) {
  const UniqueFd socket = udp_socket(to.address.is_v4());
  const SocketAddress address = socket_address(to);
  ASSERT_EQ(::sendto(socket.get(), payload.data(), payload.size(), 0, address.get(), address.size),
            static_cast<ssize_t>(payload.size()))
      << to.to_string() << ": " << std::strerror(errno);
}

inline constexpr int kPatienceMs = 5000;

/// Waits for something to read, but not for ever.
inline bool is_readable(int fd) {
  pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, kPatienceMs) == 1;
}

/// Waits for the route that makes the kernel deliver packets to `address`: for IPv6 a worker of the
/// kernel adds it shortly after the address.
inline bool delivers_locally(const IpAddress& address) {
  std::string wanted = to_hex(address.bytes()) + " 80 ";
  for (int waited_ms = 0; waited_ms < kPatienceMs; waited_ms += 5) {
    std::ifstream routes("/proc/net/ipv6_route");
    for (std::string line; std::getline(routes, line);) {
      if (line.starts_with(wanted)) return true;
    }
    ::poll(nullptr, 0, 5);
  }
  return false;
}

/// One frame from a queue, or nothing when none is there.
inline std::vector<std::uint8_t> read_frame(int queue) {
  std::vector<std::uint8_t> frame(kVnetHeaderSize + 65536);
  const ssize_t size = ::read(queue, frame.data(), frame.size());
  frame.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return frame;
}

/// Runs `body` in a child process that is nobody and may do nothing, and returns what it returned.
inline int without_privileges(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::setgid(65534) == 0 && ::setuid(65534) == 0 ? body() : 99);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 98;
  return WEXITSTATUS(status);
}

}  // namespace ringway::test
