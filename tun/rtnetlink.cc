#include "tun/rtnetlink.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace ringway {
namespace {

int hand_over(const nlmsghdr* header, void* context) {
  const auto& take = *static_cast<const std::function<void(const nlmsghdr&)>*>(context);
  take(*header);
  return MNL_CB_OK;
}

}  // namespace

void RtnetlinkSocket::Closer::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<RtnetlinkSocket> RtnetlinkSocket::open() {
  RtnetlinkSocket opened(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!opened.socket_ || mnl_socket_bind(opened.socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return fail(fmt::format("cannot speak to the kernel over netlink: {}", std::strerror(errno)));
  }
  return opened;
}

int RtnetlinkSocket::transact(RtnetlinkRequest& request) {
  request.header->nlmsg_flags |= NLM_F_ACK;
  return exchange(request, nullptr, nullptr);
}

int RtnetlinkSocket::dump(RtnetlinkRequest& request,
                          const std::function<void(const nlmsghdr&)>& take) {
  request.header->nlmsg_flags |= NLM_F_DUMP;
  return exchange(request, hand_over, const_cast<void*>(static_cast<const void*>(&take)));
}

int RtnetlinkSocket::exchange(RtnetlinkRequest& request, mnl_cb_t callback, void* context) {
  request.header->nlmsg_seq = ++sequence_;
  const unsigned port = mnl_socket_get_portid(socket_.get());
  if (mnl_socket_sendto(socket_.get(), request.header, request.header->nlmsg_len) < 0) return errno;

  // The kernel fills at most 32 KiB of a dump at once.
  alignas(nlmsghdr) std::array<char, std::size_t{32} << 10> answer{};
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
    if (size < 0) return errno;
    const int rest = mnl_cb_run(answer.data(), static_cast<std::size_t>(size), sequence_, port,
                                callback, context);
    if (rest < 0) return errno;
    if (rest == MNL_CB_STOP) return 0;
  }
}

std::string_view rtnetlink_advice(int error) {
  switch (error) {
    case EPERM: return "start as root or with CAP_NET_ADMIN";
    case ENODEV: return "the device is gone: did something remove it?";
    case EEXIST: return "something else has it already: see \"ip address\"";
    default: return {};
  }
}

std::uint8_t family_of(const IpAddress& address) { return address.is_v4() ? AF_INET : AF_INET6; }

}  // namespace ringway
