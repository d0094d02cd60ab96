#include "control/stream_dial.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "dataplane/link_message.h"

namespace ringway {
namespace {

constexpr std::size_t kLengthSize = 2;

Result<void> bind_to(int fd, const StreamDial::Settings& settings, bool ipv6) {
  if (!settings.local && settings.local_port == 0) return {};
  const int on = 1;
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  const Endpoint own{.address = settings.local.value_or(IpAddress()), .port = settings.local_port};
  const SocketName name = SocketName::of(own, ipv6);
  if (::bind(fd, name.get(), name.size) == 0) return {};
  return fail(fmt::format("cannot use the address: {}", std::strerror(errno)), own.to_string(),
              "correct `local` or `lport`, or write `nobind`");
}

}  // namespace

Result<StreamDial> StreamDial::open(const Settings& settings) {
  const bool ipv6 = !settings.server.address.is_v4();
  UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) {
    return fail(fmt::format("cannot create a socket: {}", std::strerror(errno)), {},
                errno == EMFILE ? "raise the limit of open files" : "");
  }
  if (auto routed = set_socket_route(fd.get(), settings.route); !routed) {
    return std::unexpected(routed.error());
  }
  if (auto bound = bind_to(fd.get(), settings, ipv6); !bound) {
    return std::unexpected(bound.error());
  }
  const SocketName name = SocketName::of(settings.server, ipv6);
  if (::connect(fd.get(), name.get(), name.size) != 0 && errno != EINPROGRESS) {
    return fail(fmt::format("cannot connect: {}", std::strerror(errno)),
                settings.server.to_string());
  }
  return StreamDial(std::move(fd));
}

bool StreamDial::is_connected() {
  if (is_connected_ || has_failed_) return is_connected_;
  pollfd look{.fd = fd(), .events = POLLOUT, .revents = 0};
  if (::poll(&look, 1, 0) <= 0) return false;
  int error = 0;
  socklen_t size = sizeof error;
  static_cast<void>(::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size));
  has_failed_ = error != 0 || (look.revents & (POLLERR | POLLHUP)) != 0;
  is_connected_ = !has_failed_;
  return is_connected_;
}

short StreamDial::awaited() const {
  if (has_failed_) return 0;
  return is_connected_ ? POLLIN : POLLOUT;
}

bool StreamDial::send(Bytes packet) {
  RW_ASSERT(packet.size() <= kPacketSizeMax);
  std::array<std::uint8_t, kLengthSize + kPacketSizeMax> frame;
  store_be16(frame.data(), static_cast<std::uint16_t>(packet.size()));
  std::ranges::copy(packet, frame.begin() + kLengthSize);
  const std::size_t size = kLengthSize + packet.size();
  const ssize_t sent = ::send(fd(), frame.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  // A handshake's first packets are far smaller than the emptiest send buffer.
  if (sent == static_cast<ssize_t>(size)) return true;
  has_failed_ = true;
  return false;
}

/// True when `size` bytes are there. Reads not one more.
bool StreamDial::fill(std::size_t size) {
  while (filled_ < size && !has_failed_) {
    const ssize_t got = ::recv(fd(), buffer_.data() + filled_, size - filled_, MSG_DONTWAIT);
    if (got > 0) {
      filled_ += static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == EAGAIN) {
      return false;
    } else {
      has_failed_ = true;
    }
  }
  return filled_ >= size;
}

std::optional<MutableBytes> StreamDial::receive() {
  if (!fill(kLengthSize)) return std::nullopt;
  const std::size_t size = load_be16(buffer_.data());
  if (size == 0 || size > kPacketSizeMax) {
    has_failed_ = true;
    return std::nullopt;
  }
  if (!fill(kLengthSize + size)) return std::nullopt;
  filled_ = 0;
  return MutableBytes(buffer_).subspan(kLengthSize, size);
}

std::optional<TcpSocket> StreamDial::release() {
  const int flags = ::fcntl(fd(), F_GETFL);
  if (has_failed_ || flags < 0 || ::fcntl(fd(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return std::nullopt;
  }
  return TcpSocket::adopt(std::move(fd_));
}

}  // namespace ringway
