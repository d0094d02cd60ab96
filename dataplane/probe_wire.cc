#include "dataplane/probe_wire.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

constexpr std::size_t kPieceSizeMax = 65'536;

/// Bound to loopback and a free port. An AF_INET6 socket takes both families where the address is
/// v4-mapped.
UniqueFd open_socket(ProbeFamily family) {
  const bool is_ipv6 = family != ProbeFamily::V4;
  UniqueFd fd(::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fd;
  const int off = 0;
  if (is_ipv6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const auto address = IpAddress::parse(family == ProbeFamily::V6 ? "::1" : "127.0.0.1");
  const SocketName name = SocketName::of({.address = *address, .port = 0}, is_ipv6);
  if (::bind(fd.get(), name.get(), name.size) != 0) return UniqueFd();
  return fd;
}

std::optional<Endpoint> local_of(const UniqueFd& socket) {
  SocketName name;
  socklen_t size = sizeof name.bytes;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(name.bytes.data()), &size) != 0) {
    return std::nullopt;
  }
  return decode_socket_name(Bytes(name.bytes).first(size));
}

int wait_ms(Instant deadline) {
  const Duration left = std::clamp(deadline - monotonic_now(), Duration{0}, Duration{1s});
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

std::size_t segment_size_of(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(control), sizeof size);
    return static_cast<std::size_t>(std::max(size, 0));
  }
  return 0;
}

std::optional<LinkOffloadProof> probe_family(ProbeFamily family, Instant deadline) {
  const std::unique_ptr<LoopbackWire> wire = LoopbackWire::open(family);
  if (!wire) return std::nullopt;
  return prove_link_offloads(*wire, deadline);
}

}  // namespace

std::unique_ptr<LoopbackWire> LoopbackWire::open(ProbeFamily family) {
  UniqueFd from = open_socket(family);
  UniqueFd to = open_socket(family);
  if (!from || !to) return nullptr;
  const bool is_ipv6 = family != ProbeFamily::V4;
  const auto source = local_of(from);
  const auto destination = local_of(to);
  if (!source || !destination) return nullptr;
  // What a stranger sends to the receiver is not taken: it hears its sender alone.
  const SocketName sender = SocketName::of(*source, is_ipv6);
  if (::connect(to.get(), sender.get(), sender.size) != 0) return nullptr;
  return std::unique_ptr<LoopbackWire>(
      new LoopbackWire(std::move(from), std::move(to), *destination, is_ipv6));
}

int LoopbackWire::send(Bytes bytes, std::size_t segment_size) {
  OutgoingMessage message;
  message.prepare(destination_, is_ipv6_, bytes, static_cast<std::uint16_t>(segment_size));
  return ::sendmsg(from_.get(), &message.header(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

std::optional<ProbePiece> LoopbackWire::receive(Instant deadline) {
  pollfd waiting{.fd = to_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, wait_ms(deadline)) <= 0) return std::nullopt;
  ProbePiece piece;
  piece.bytes.resize(kPieceSizeMax);
  iovec vector{.iov_base = piece.bytes.data(), .iov_len = piece.bytes.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  const ssize_t size = ::recvmsg(to_.get(), &message, MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  piece.bytes.resize(static_cast<std::size_t>(size));
  piece.segment_size = segment_size_of(message);
  piece.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return piece;
}

int LoopbackWire::set_gro(bool on) {
  const int value = on ? 1 : 0;
  return ::setsockopt(to_.get(), SOL_UDP, UDP_GRO, &value, sizeof value) == 0 ? 0 : errno;
}

bool LoopbackWire::knows_gso() {
  const int none = 0;
  return ::setsockopt(from_.get(), SOL_UDP, UDP_SEGMENT, &none, sizeof none) == 0;
}

LinkOffloadProof probe_link_offloads(Duration patience) {
  const Instant deadline = monotonic_now() + patience;
  const auto v4 = probe_family(ProbeFamily::V4OnDualStack, deadline);
  const auto v6 = probe_family(ProbeFamily::V6, deadline);
  if (v4 && v6) return worse_of(*v4, *v6);
  if (v4) return *v4;
  return probe_family(ProbeFamily::V4, deadline)
      .value_or(LinkOffloadProof{.reason = "there is no loopback address"});
}

}  // namespace ringway
