#include "control/probe_socket.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

bool is_v6(const Endpoint& endpoint) { return !endpoint.address.is_v4(); }

/// The kernel's error for what ICMP said, or for what a call met.
ProbeFailure failure_of(int error, std::optional<IpAddress> from) {
  ProbeFailure failure{.reason = std::strerror(error), .from = from};
  if (error == ECONNREFUSED) failure.kind = ProbeFailure::Kind::Refused;
  if (error == ECONNRESET || error == EPIPE) failure.kind = ProbeFailure::Kind::Closed;
  return failure;
}

/// Who sent the ICMP message that is behind `extended`.
std::optional<IpAddress> offender_of(const sock_extended_err& extended) {
  if (extended.ee_origin != SO_EE_ORIGIN_ICMP && extended.ee_origin != SO_EE_ORIGIN_ICMP6) {
    return std::nullopt;
  }
  const auto* name = reinterpret_cast<const std::uint8_t*>(SO_EE_OFFENDER(&extended));
  const std::size_t size =
      extended.ee_origin == SO_EE_ORIGIN_ICMP ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const auto endpoint = decode_socket_name({name, size});
  return endpoint ? std::optional(endpoint->address) : std::nullopt;
}

}  // namespace

ProbeSocket::ProbeSocket(const ProbeAttempt::Settings& settings, const TlsWrap& wrap,
                         RandomSource& random)
    : settings_(settings), attempt_(settings, wrap, random, read_clocks()) {
  open();
}

void ProbeSocket::open() {
  const bool ipv6 = is_v6(settings_.target);
  const bool is_tcp = settings_.transport == ProbeTransport::Tcp;
  const int type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  fd_ = UniqueFd(::socket(ipv6 ? AF_INET6 : AF_INET, type, 0));
  if (!fd_) return fail_with(errno);
  const int on = 1;
  if (ipv6) {
    ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  } else {
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  }
  if (!is_tcp) return;
  const SocketName name = SocketName::of(settings_.target, ipv6);
  if (::connect(fd_.get(), name.get(), name.size) != 0 && errno != EINPROGRESS) fail_with(errno);
}

void ProbeSocket::fail_with(int error) {
  // A TCP reset is the other end's.
  const bool is_theirs = settings_.transport == ProbeTransport::Tcp &&
                         (error == ECONNREFUSED || error == ECONNRESET || error == EPIPE);
  attempt_.handle_failure(
      failure_of(error, is_theirs ? std::optional(settings_.target.address) : std::nullopt),
      monotonic_now());
}

short ProbeSocket::events() const {
  const bool is_connecting = settings_.transport == ProbeTransport::Tcp && !is_connected_;
  return is_connecting ? POLLOUT : POLLIN;
}

void ProbeSocket::turn() {
  const Now now = read_clocks();
  const bool is_ready = settings_.transport == ProbeTransport::Udp || is_connected_;
  std::array<std::uint8_t, ProbeAttempt::kDatagramSizeMax> scratch;
  if (is_ready) {
    if (const auto packet = attempt_.poll_transmit(scratch, now)) send(*packet);
  }
  attempt_.handle_timeout(now.instant);
}

void ProbeSocket::send(Bytes packet) {
  if (settings_.transport == ProbeTransport::Tcp) {
    // OpenVPN over TCP: 16 bits of length in front of each packet.
    std::array<std::uint8_t, 2 + ProbeAttempt::kDatagramSizeMax> frame{};
    frame[0] = static_cast<std::uint8_t>(packet.size() >> 8);
    frame[1] = static_cast<std::uint8_t>(packet.size() & 0xff);
    std::memcpy(frame.data() + 2, packet.data(), packet.size());
    if (::send(fd_.get(), frame.data(), packet.size() + 2, MSG_NOSIGNAL) < 0) fail_with(errno);
    return;
  }
  const SocketName name = SocketName::of(settings_.target, is_v6(settings_.target));
  const ssize_t sent = ::sendto(fd_.get(), packet.data(), packet.size(), 0, name.get(), name.size);
  if (sent >= 0) return;
  // An ICMP message that has arrived meanwhile is told here, too; the queue says more.
  const int error = errno;
  if (!read_errors()) fail_with(error);
}

void ProbeSocket::handle_ready(short revents) {
  if (settings_.transport == ProbeTransport::Tcp) {
    if (!is_connected_ && (revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return fail_with(error);
      is_connected_ = true;
      return;
    }
    return read_stream();
  }
  if ((revents & POLLERR) != 0) read_errors();
  if ((revents & POLLIN) != 0) read_datagrams();
}

void ProbeSocket::read_datagrams() {
  std::array<std::uint8_t, 2048> datagram;
  for (;;) {
    alignas(sockaddr_in6) std::array<std::uint8_t, sizeof(sockaddr_in6)> name{};
    socklen_t name_size = name.size();
    const ssize_t size = ::recvfrom(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(name.data()), &name_size);
    if (size < 0) return;
    const auto source = decode_socket_name(Bytes(name).first(name_size));
    if (!source) continue;
    attempt_.handle_datagram(Bytes(datagram).first(static_cast<std::size_t>(size)), *source,
                             monotonic_now());
  }
}

void ProbeSocket::read_stream() {
  std::array<std::uint8_t, 2048> chunk;
  const ssize_t size = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (size < 0) {
    if (errno != EAGAIN && errno != EINTR) fail_with(errno);
    return;
  }
  if (size == 0) {
    return attempt_.handle_failure({.kind = ProbeFailure::Kind::Closed,
                                    .reason = "end of the stream",
                                    .from = settings_.target.address},
                                   monotonic_now());
  }
  stream_.insert(stream_.end(), chunk.begin(), chunk.begin() + size);
  if (stream_.size() < 2) return;
  const std::size_t wanted = std::size_t{stream_[0]} << 8 | stream_[1];
  // What never becomes a whole packet is no OpenVPN's; the first bytes of it show that.
  const std::size_t have = std::min(wanted, stream_.size() - 2);
  const bool is_whole = have == wanted;
  if (!is_whole && stream_.size() < chunk.size()) return;
  attempt_.handle_datagram(Bytes(stream_).subspan(2, have), settings_.target, monotonic_now());
}

bool ProbeSocket::read_errors() {
  bool found = false;
  for (;;) {
    std::array<std::uint8_t, 256> original;
    alignas(cmsghdr) std::array<std::uint8_t, 512> control;
    iovec vector{.iov_base = original.data(), .iov_len = original.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return found;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
      const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                            (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
      if (!is_error) continue;
      found = true;
      const auto* extended = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(part));
      attempt_.handle_failure(
          failure_of(static_cast<int>(extended->ee_errno), offender_of(*extended)),
          monotonic_now());
    }
  }
}

}  // namespace ringway
