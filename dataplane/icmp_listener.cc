#include "dataplane/icmp_listener.h"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ringway {
namespace {

constexpr int kReceiveBufferSize = 64 << 10;
/// The outer headers with options, the ICMP header, and the quoted headers and ports.
constexpr std::size_t kMessageSizeMax = 256;
constexpr unsigned kMessagesPerTake = 64;

UniqueFd open_v4() {
  UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP));
  if (!fd) return fd;
  icmp_filter filter{};
  filter.data = ~(1u << ICMP_DEST_UNREACH);
  if (::setsockopt(fd.get(), SOL_RAW, ICMP_FILTER, &filter, sizeof filter) != 0) fd.reset();
  return fd;
}

UniqueFd open_v6() {
  UniqueFd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd) return fd;
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
  if (::setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) != 0) fd.reset();
  return fd;
}

void keep_short(const UniqueFd& fd) {
  if (!fd) return;
  // What the kernel grants will do.
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferSize,
                                 sizeof kReceiveBufferSize));
}

/// Messages until one says something; a flood of others must not hold us.
std::optional<IcmpHint> take_from(const UniqueFd& fd,
                                  std::optional<IcmpHint> (*read)(Bytes message)) {
  std::array<std::uint8_t, kMessageSizeMax> message;
  for (unsigned i = 0; fd && i < kMessagesPerTake; ++i) {
    const ssize_t size = ::recv(fd.get(), message.data(), message.size(), 0);
    if (size < 0) return std::nullopt;
    if (auto hint = read(Bytes(message).first(static_cast<std::size_t>(size)))) return hint;
  }
  return std::nullopt;
}

}  // namespace

Result<IcmpListener> IcmpListener::open() {
  UniqueFd v4 = open_v4();
  if (!v4) {
    return fail(std::string("cannot listen for ICMP messages: ") + std::strerror(errno), {},
                "start as root or with CAP_NET_RAW, so that a path that has become narrower is "
                "noticed sooner");
  }
  UniqueFd v6 = open_v6();
  keep_short(v4);
  keep_short(v6);
  return IcmpListener(std::move(v4), std::move(v6));
}

std::optional<IcmpHint> IcmpListener::take() {
  if (const auto hint = take_from(v4_, read_fragmentation_needed)) return hint;
  return take_from(v6_, read_packet_too_big);
}

}  // namespace ringway
