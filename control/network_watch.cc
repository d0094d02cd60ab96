#include "control/network_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "dataplane/link_message.h"

namespace ringway {
namespace {

void note(NetworkWatch::Change& change, std::uint16_t type) {
  switch (type) {
    case RTM_NEWADDR:
    case RTM_NEWROUTE: change.gained = true; return;
    case RTM_DELADDR:
    case RTM_DELROUTE: change.lost = true; return;
    default: return;
  }
}

}  // namespace

void NetworkWatch::Change::add(Bytes messages) {
  while (messages.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, messages.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) return;
    note(*this, header.nlmsg_type);
    messages =
        messages.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), messages.size()));
  }
}

Result<NetworkWatch> NetworkWatch::open() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups =
      RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) {
    return fail(std::string("cannot watch this host's addresses: ") + std::strerror(errno),
                "rtnetlink");
  }
  return NetworkWatch(std::move(fd));
}

NetworkWatch::Change NetworkWatch::take() {
  Change change;
  alignas(nlmsghdr) std::array<std::uint8_t, 16384> buffer;
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) {
      change.add(Bytes(buffer).first(static_cast<std::size_t>(size)));
    } else if (size < 0 && errno == ENOBUFS) {
      // More has changed than the socket could hold.
      change = {.gained = true, .lost = true};
    } else {
      return change;
    }
  }
}

bool has_address(const Endpoint& own) {
  const bool is_ipv6 = !own.address.is_v4();
  const UniqueFd fd(::socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketName name =
      SocketName::of({.address = own.address, .port = 0, .scope_id = own.scope_id}, is_ipv6);
  return fd && ::bind(fd.get(), name.get(), name.size) == 0;
}

}  // namespace ringway
