#include "tun/host_links.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace ringway {
namespace {

struct SocketCloser {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using Socket = std::unique_ptr<mnl_socket, SocketCloser>;

using Links = std::vector<HostLink>;

std::unexpected<Error> netlink_failure() {
  return fail(fmt::format("cannot ask the kernel for its interfaces: {}", std::strerror(errno)));
}

std::span<const std::uint8_t> payload_of(const nlattr* attribute) {
  return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
          mnl_attr_get_payload_len(attribute)};
}

/// Calls `visit(type, payload)` for each attribute behind the message's own header.
template <typename Visit>
void each_attribute(const nlmsghdr* header, unsigned offset, Visit visit) {
  const mnl_attr_cb_t call = [](const nlattr* attribute, void* context) -> int {
    (*static_cast<Visit*>(context))(mnl_attr_get_type(attribute), payload_of(attribute));
    return MNL_CB_OK;
  };
  mnl_attr_parse(header, offset, call, &visit);
}

void add_link(const nlmsghdr* header, Links& links) {
  if (mnl_nlmsg_get_payload_len(header) < sizeof(ifinfomsg)) return;
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(header));
  HostLink found{.index = static_cast<std::uint32_t>(link->ifi_index),
                 .is_up = (link->ifi_flags & IFF_UP) != 0 && (link->ifi_flags & IFF_RUNNING) != 0,
                 .is_tunnel = link->ifi_type == ARPHRD_NONE};
  using Payload = std::span<const std::uint8_t>;
  each_attribute(header, sizeof(ifinfomsg), [&](std::uint16_t type, Payload name) {
    if (type != IFLA_IFNAME) return;
    for (const std::uint8_t byte : name) {
      if (byte != 0) found.name += static_cast<char>(byte);
    }
  });
  links.push_back(std::move(found));
}

void add_address(const nlmsghdr* header, Links& links) {
  if (mnl_nlmsg_get_payload_len(header) < sizeof(ifaddrmsg)) return;
  const auto* message = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(header));
  std::uint32_t flags = message->ifa_flags;
  std::span<const std::uint8_t> address;
  std::span<const std::uint8_t> local;
  using Payload = std::span<const std::uint8_t>;
  each_attribute(header, sizeof(ifaddrmsg), [&](std::uint16_t type, Payload payload) {
    // On a point-to-point link IFA_ADDRESS is the other end.
    if (type == IFA_ADDRESS) address = payload;
    if (type == IFA_LOCAL) local = payload;
    if (type == IFA_FLAGS && payload.size() == sizeof flags) {
      std::memcpy(&flags, payload.data(), sizeof flags);
    }
  });
  const auto own = local.empty() ? address : local;
  const auto link = std::ranges::find(links, message->ifa_index, &HostLink::index);
  if (link == links.end() || (own.size() != 4 && own.size() != 16)) return;
  link->addresses.push_back(
      {.address = own.size() == 4 ? IpAddress::v4(own) : IpAddress::v6(own),
       .prefix_length = message->ifa_prefixlen,
       .is_temporary = message->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0,
       .is_deprecated = (flags & IFA_F_DEPRECATED) != 0,
       .is_dynamic = (flags & IFA_F_PERMANENT) == 0});
}

int take_message(const nlmsghdr* message, void* links) {
  take_link_message(*message, *static_cast<Links*>(links));
  return MNL_CB_OK;
}

/// One dump into `links`. False, and errno, when the kernel does not answer.
bool dump(mnl_socket* socket, std::uint16_t type, Links& links) {
  alignas(nlmsghdr) std::array<char, 256> request{};
  nlmsghdr* header = mnl_nlmsg_put_header(request.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  header->nlmsg_seq = type;
  // The larger of the two headers of a dump request; all families.
  mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg));
  if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0) return false;

  alignas(nlmsghdr) std::array<char, 32768> answer;
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket, answer.data(), answer.size());
    if (size < 0) return false;
    const int rest = mnl_cb_run(answer.data(), static_cast<std::size_t>(size), type,
                                mnl_socket_get_portid(socket), take_message, &links);
    if (rest < 0) return false;
    if (rest == MNL_CB_STOP) return true;
  }
}

}  // namespace

void take_link_message(const nlmsghdr& message, std::vector<HostLink>& links) {
  if (message.nlmsg_type == RTM_NEWLINK) add_link(&message, links);
  if (message.nlmsg_type == RTM_NEWADDR) add_address(&message, links);
}

Result<std::vector<HostLink>> read_host_links() {
  // A dump that a change cuts in two (NLM_F_DUMP_INTR) is asked for again.
  constexpr int kAttempts = 5;
  const Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return netlink_failure();
  }
  for (int attempt = 0;; ++attempt) {
    Links links;
    if (dump(socket.get(), RTM_GETLINK, links) && dump(socket.get(), RTM_GETADDR, links)) {
      return links;
    }
    if (errno != EINTR || attempt == kAttempts) return netlink_failure();
  }
}

Result<HostLinkBell> HostLinkBell::open() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    return fail(fmt::format("cannot watch the host's addresses: {}", std::strerror(errno)));
  }
  return HostLinkBell(std::move(fd));
}

bool HostLinkBell::silence() {
  bool has_rung = false;
  std::array<char, 8192> ignored;
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    // ENOBUFS: messages were lost, which is a change as well.
    if (size < 0 && errno != ENOBUFS && errno != EINTR) return has_rung;
    has_rung = true;
  }
}

}  // namespace ringway
