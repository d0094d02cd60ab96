#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/opcode.h"
#include "base/unique_fd.h"
#include "dataplane/link_message.h"
#include "dataplane/stream_framing.h"
#include "tests/support/patience.h"

namespace ringway::test {

/// What a client sends first: a reset with an empty list of acknowledgements.
inline std::vector<std::uint8_t> client_reset() {
  std::vector<std::uint8_t> reset(14, 0);
  reset[0] = first_byte(Opcode::HardResetClientV2, {0});
  for (std::size_t i = 1; i <= 8; ++i) reset[i] = static_cast<std::uint8_t>(i);
  return reset;
}

/// A client's end of a TCP connection.
class StreamClient {
 public:
  explicit StreamClient(const Endpoint& server, int receive_buffer_size = 0,
                        const std::optional<IpAddress>& from = {})
      : fd_(::socket(server.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const bool ipv6 = !server.address.is_v4();
    if (receive_buffer_size > 0) {
      EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_size,
                             sizeof receive_buffer_size),
                0);
    }
    if (from) {
      const SocketName name = SocketName::of({.address = *from}, ipv6);
      EXPECT_EQ(::bind(fd_.get(), name.get(), name.size), 0) << std::strerror(errno);
    }
    const SocketName name = SocketName::of(server, ipv6);
    EXPECT_EQ(::connect(fd_.get(), name.get(), name.size), 0) << std::strerror(errno);
  }

  /// The other end of a connection that was accepted.
  explicit StreamClient(UniqueFd accepted) : fd_(std::move(accepted)) {}

  void write(Bytes bytes) const {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()))
        << std::strerror(errno);
  }
  void send(Bytes datagram) const {
    std::vector<std::uint8_t> frame(kFrameHeaderSize);
    write_frame_header(frame, datagram.size());
    frame.insert(frame.end(), datagram.begin(), datagram.end());
    write(frame);
  }
  /// The next datagram; nothing when none comes in time, or the connection has ended.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> receive(int patience_ms = kPatienceMs) {
    for (;;) {
      MutableBytes stream = received_;
      const auto datagram = take_framed(stream, 0xffff);
      if (!datagram) return std::nullopt;
      if (*datagram) {
        std::vector<std::uint8_t> taken((*datagram)->begin(), (*datagram)->end());
        received_.erase(received_.begin(), received_.end() - static_cast<long>(stream.size()));
        return taken;
      }
      if (!read_more(patience_ms)) return std::nullopt;
    }
  }
  /// The other end has closed or reset the connection, in time.
  [[nodiscard]] bool has_ended(int patience_ms = kPatienceMs) {
    while (read_more(patience_ms)) continue;
    return ended_;
  }
  [[nodiscard]] bool was_reset() const { return was_reset_; }
  void close() { fd_.reset(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  bool read_more(int patience_ms) {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (ended_ || ::poll(&waiting, 1, patience_ms) != 1) return false;
    std::uint8_t some[16'384];
    const ssize_t size = ::recv(fd_.get(), some, sizeof some, 0);
    ended_ = size <= 0;
    was_reset_ = size < 0 && errno == ECONNRESET;
    if (size > 0) received_.insert(received_.end(), some, some + size);
    return size > 0;
  }

  UniqueFd fd_;
  std::vector<std::uint8_t> received_;
  bool ended_ = false;
  bool was_reset_ = false;
};

}  // namespace ringway::test
