#include "control/connect_attempt.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/session_terms.h"
#include "dataplane/link_message.h"

namespace ringway {
namespace {

/// A flood of datagrams does not keep us from the other addresses.
constexpr int kDatagramsPerTurn = 16;

void set_error_queue(int fd, bool is_v6, int value) {
  static_cast<void>(is_v6 ? ::setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value)
                          : ::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value));
}

/// What is wrong with the size or with the moment says nothing about the address.
bool is_refusal(int error) {
  return error != 0 && error != EAGAIN && error != EMSGSIZE && error != EINTR && error != ENOBUFS &&
         error != ENOMEM;
}

/// The error of the kernel's report in `message`; 0 when there is none.
int reported_error(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    const bool is_report = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                           (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_report || part->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
    sock_extended_err report;
    std::memcpy(&report, CMSG_DATA(part), sizeof report);
    return static_cast<int>(report.ee_errno);
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<ConnectAttempt>> ConnectAttempt::open(const ClientParts& parts,
                                                             const ClientSettings& settings,
                                                             const Target& target, Now now) {
  const ClientConfig& config = parts.config;
  const RemoteConfig& remote = config.remotes[target.remote];
  if (remote.is_tcp) return dial(parts, settings, target, now);
  const LocalBinding& local = remote.local;
  auto socket = open_udp_sockets(
      {.address = local.address,
       .port = local.port,
       .family = target.server.address.is_v4() ? SocketFamily::V4Only : SocketFamily::V6Only,
       .send_buffer_size = config.send_buffer,
       .receive_buffer_size = config.receive_buffer,
       .route = {.device = config.outside.device, .mark = config.outside.mark}},
      1);
  if (!socket) return std::unexpected(socket.error());
  ClientSettings own = settings;
  own.exit_notify_count = remote.exit_notify;
  own.server = target.server;
  return std::unique_ptr<ConnectAttempt>(
      new ConnectAttempt(parts, own, target, std::move(*socket), now));
}

ConnectAttempt::ConnectAttempt(const ClientParts& parts, const ClientSettings& settings,
                               const Target& target, UdpSocketGroup socket, Now now)
    : connection_{.socket = std::move(socket),
                  .core = ClientCore(settings, parts.wrap, parts.tls, parts.random, now),
                  .server = target.server,
                  .local = {},
                  .remote = target.remote,
                  .begun = now.instant},
      is_v6_(!target.server.address.is_v4()) {
  if (!connection_.socket.sockets.empty()) set_error_queue(fd(), is_v6_, 1);
}

Result<std::unique_ptr<ConnectAttempt>> ConnectAttempt::dial(const ClientParts& parts,
                                                             const ClientSettings& settings,
                                                             const Target& target, Now now) {
  const RemoteConfig& remote = parts.config.remotes[target.remote];
  auto dialled = StreamDial::open(
      {.server = target.server,
       .local = remote.local.address,
       .local_port = remote.local.port,
       .route = {.device = parts.config.outside.device, .mark = parts.config.outside.mark}});
  if (!dialled) return std::unexpected(dialled.error());
  ClientSettings own = settings;
  own.server = target.server;
  own.path = PathKind::Stream;
  own.mssfix = stream_mssfix(settings.mssfix);
  own.copies_dscp = false;
  std::unique_ptr<ConnectAttempt> attempt(new ConnectAttempt(parts, own, target, {}, now));
  attempt->dial_.emplace(std::move(*dialled));
  return attempt;
}

short ConnectAttempt::awaited() const { return dial_ ? dial_->awaited() : short{POLLIN}; }

/// While a connection is being made, the handshake has not begun and has no deadlines.
std::optional<Instant> ConnectAttempt::poll_timeout() const {
  if (dial_ && dial_->awaited() != POLLIN) return std::nullopt;
  return connection_.core.poll_timeout();
}

ConnectAttempt::Heard ConnectAttempt::turn_stream(Now now) {
  if (!dial_->is_connected()) return {.refusal = dial_->has_failed()};
  Heard heard;
  while (!heard.answer) {
    const auto packet = dial_->receive();
    if (!packet) break;
    connection_.core.handle_datagram(*packet, now);
    heard.answer = connection_.core.is_answered();
  }
  if (heard.answer) return heard;
  connection_.core.handle_timeout(now);
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
  while (const auto packet = connection_.core.poll_transmit(scratch, now)) {
    if (!dial_->send(*packet)) break;
  }
  heard.refusal = dial_->has_failed();
  return heard;
}

ConnectAttempt::Heard ConnectAttempt::turn(Now now) {
  if (dial_) return turn_stream(now);
  Heard heard;
  receive(heard, now);
  if (heard.answer) return heard;
  connection_.core.handle_timeout(now);
  send(heard, now);
  return heard;
}

void ConnectAttempt::receive(Heard& heard, Now now) {
  heard.refusal = take_refusals();
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> datagram;
  std::array<std::uint8_t, kSocketNameSize> name;
  alignas(cmsghdr) std::array<std::uint8_t, kSocketControlSize> control;
  for (int i = 0; i < kDatagramsPerTurn && !heard.answer; ++i) {
    iovec vector{.iov_base = datagram.data(), .iov_len = datagram.size()};
    msghdr message{};
    message.msg_name = name.data();
    message.msg_namelen = name.size();
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd(), &message, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) heard.refusal = heard.refusal || is_refusal(errno);
    if (size <= 0) continue;
    const auto arrival = decode_link_arrival(Bytes(name).first(message.msg_namelen),
                                             Bytes(control).first(message.msg_controllen), 0);
    if (!arrival || arrival->from.remote != connection_.server) continue;
    connection_.core.handle_datagram(MutableBytes(datagram).first(static_cast<std::size_t>(size)),
                                     now);
    heard.answer = connection_.core.is_answered();
    connection_.local = arrival->from.local;
  }
}

/// ICMP messages, as far as they concern this socket (RFC 1122, 4.1.3.3).
bool ConnectAttempt::take_refusals() const {
  bool is_refused = false;
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    std::array<std::uint8_t, kSocketNameSize> name;
    alignas(cmsghdr) std::array<std::uint8_t, 512> control;
    msghdr message{};
    message.msg_name = name.data();
    message.msg_namelen = name.size();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    is_refused = is_refused || is_refusal(reported_error(message));
  }
  return is_refused;
}

void ConnectAttempt::send(Heard& heard, Now now) {
  std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
  while (const auto datagram = connection_.core.poll_transmit(scratch, now)) {
    const int error = connection_.socket.sockets.front().send(
        {.remote = connection_.server, .local = {}}, *datagram);
    if (is_refusal(error)) heard.refusal = true;
  }
}

Connection ConnectAttempt::release(const Offloads& offloads) {
  if (dial_) {
    connection_.stream = dial_->release();
    if (connection_.stream) {
      if (const auto own = connection_.stream->local()) connection_.local = own->address;
    }
    return std::move(connection_);
  }
  set_error_queue(fd(), is_v6_, 0);
  int error = 0;
  socklen_t size = sizeof error;
  static_cast<void>(::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size));
  const int on = 1;
  connection_.socket.gro =
      offloads.link_gro && ::setsockopt(fd(), SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
  return std::move(connection_);
}

}  // namespace ringway
