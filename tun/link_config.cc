#include "tun/link_config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace ringway {

/// A netlink message under construction. The largest of ours is a route of some 80 bytes.
struct RtnetlinkRequest {
  static constexpr std::size_t kSizeMax = 512;
  alignas(nlmsghdr) std::array<char, kSizeMax> buffer{};
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());

  RtnetlinkRequest(std::uint16_t type, int flags) {
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  }
  template <typename Family>
  Family& family_header() {
    return *static_cast<Family*>(mnl_nlmsg_put_extra_header(header, sizeof(Family)));
  }
  void put(std::uint16_t attribute, std::uint32_t value) {
    mnl_attr_put_u32(header, attribute, value);
  }
  void put(std::uint16_t attribute, const IpAddress& address) {
    const Bytes wire = address.wire();
    mnl_attr_put(header, attribute, wire.size(), wire.data());
  }
};

namespace {

std::uint8_t family_of(const IpAddress& address) { return address.is_v4() ? AF_INET : AF_INET6; }

bool is_valid_length(const IpAddress& address, std::uint8_t length) {
  return length <= (address.is_v4() ? 32 : 128);
}

/// What to do about the kernel's answer, as far as it is the same for every request.
std::string advice_for(int error) {
  switch (error) {
    case EPERM: return "start as root or with CAP_NET_ADMIN";
    case ENODEV: return "the device is gone: did something remove it?";
    case EEXIST: return "something else has it already: see \"ip address\"";
    default: return {};
  }
}

std::unexpected<Error> kernel_error(std::string_view what, const std::string& device, int error) {
  return fail(fmt::format("{}: {}", what, std::strerror(error)), device, advice_for(error));
}

}  // namespace

void LinkConfig::SocketCloser::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<LinkConfig> LinkConfig::open(const std::string& device) {
  const unsigned index = ::if_nametoindex(device.c_str());
  if (index == 0) return fail("there is no such network device", device);
  Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return fail(fmt::format("cannot speak to the kernel over netlink: {}", std::strerror(errno)),
                device);
  }
  return LinkConfig(device, index, std::move(socket));
}

int LinkConfig::transact(RtnetlinkRequest& request) {
  request.header->nlmsg_seq = ++sequence_;
  const unsigned port = mnl_socket_get_portid(socket_.get());
  if (mnl_socket_sendto(socket_.get(), request.header, request.header->nlmsg_len) < 0) return errno;

  alignas(nlmsghdr) std::array<char, 8192> answer{};
  for (;;) {
    const ssize_t size = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
    if (size < 0) return errno;
    const int rest = mnl_cb_run(answer.data(), static_cast<std::size_t>(size), sequence_, port,
                                nullptr, nullptr);
    if (rest < 0) return errno;
    if (rest == MNL_CB_STOP) return 0;
  }
}

Result<std::vector<LinkRoute>> LinkConfig::apply(const LinkSettings& settings) {
  if (settings.v6 && settings.mtu < kIpv6MtuMin) {
    return fail(fmt::format("an MTU of {} is too small for IPv6", settings.mtu), device_,
                "set tun-mtu to 1280 or more, or leave IPv6 out");
  }
  Result<void> done = set_mtu(settings.mtu);
  if (done && settings.tx_queue_length > 0) done = set_tx_queue_length(settings.tx_queue_length);
  if (done && settings.v6) done = enable_ipv6();
  if (done) done = bring_up();
  if (done && settings.v4) done = add_address(*settings.v4);
  if (done && settings.v6) done = add_address(*settings.v6);
  if (!done) return std::unexpected(done.error());
  std::vector<LinkRoute> left_out;
  for (const LinkRoute& route : settings.routes) {
    const Result<bool> added = add_route(route);
    if (!added) return std::unexpected(added.error());
    if (!*added) left_out.push_back(route);
  }
  return left_out;
}

Result<void> LinkConfig::set_mtu(std::uint32_t mtu) {
  if (mtu < kIpv4MtuMin || mtu > kMtuMax) {
    return fail(fmt::format("an MTU of {} is impossible", mtu), device_,
                fmt::format("set tun-mtu to {}..{}", kIpv4MtuMin, kMtuMax));
  }
  RtnetlinkRequest request(RTM_NEWLINK, 0);
  auto& link = request.family_header<ifinfomsg>();
  link.ifi_index = static_cast<int>(index_);
  request.put(IFLA_MTU, mtu);
  const int error = transact(request);
  if (error != 0) return kernel_error(fmt::format("cannot set the MTU {}", mtu), device_, error);
  return {};
}

Result<void> LinkConfig::set_tx_queue_length(std::uint32_t packets) {
  RtnetlinkRequest request(RTM_NEWLINK, 0);
  auto& link = request.family_header<ifinfomsg>();
  link.ifi_index = static_cast<int>(index_);
  request.put(IFLA_TXQLEN, packets);
  const int error = transact(request);
  if (error != 0) {
    return kernel_error(fmt::format("cannot set the transmit queue length {}", packets), device_,
                        error);
  }
  return {};
}

Result<void> LinkConfig::bring_up() {
  RtnetlinkRequest request(RTM_NEWLINK, 0);
  auto& link = request.family_header<ifinfomsg>();
  link.ifi_index = static_cast<int>(index_);
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  const int error = transact(request);
  if (error != 0) return kernel_error("cannot bring the device up", device_, error);
  return {};
}

Result<void> LinkConfig::add_address(const InterfaceAddress& address) {
  const std::string what = fmt::format("cannot set the address {}", address.to_string());
  if (!is_valid_length(address.address, address.prefix_length)) {
    return fail(what + ": no such prefix length", device_);
  }
  RtnetlinkRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  auto& header = request.family_header<ifaddrmsg>();
  header.ifa_family = family_of(address.address);
  header.ifa_prefixlen = address.prefix_length;
  header.ifa_index = index_;
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  if (!address.address.is_v4()) header.ifa_flags = IFA_F_NODAD;
  request.put(IFA_LOCAL, address.address);
  request.put(IFA_ADDRESS, address.address);
  const int error = transact(request);
  if (error != 0) return kernel_error(what, device_, error);
  return {};
}

Result<bool> LinkConfig::add_route(const LinkRoute& route) {
  const std::string what = fmt::format("cannot add the route {}", route.destination.to_string());
  if (!is_valid_length(route.destination.address, route.destination.length)) {
    return fail(what + ": no such prefix length", device_);
  }
  RtnetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  auto& header = request.family_header<rtmsg>();
  header.rtm_family = family_of(route.destination.address);
  header.rtm_dst_len = route.destination.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNICAST;
  // Straight into the device, without a gateway, is what IPv4 calls link scope.
  header.rtm_scope = route.destination.address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  request.put(RTA_DST, route.destination.address);
  request.put(RTA_OIF, index_);
  if (route.metric) request.put(RTA_PRIORITY, *route.metric);
  const int error = transact(request);
  if (error == EEXIST) return false;
  if (error != 0) return kernel_error(what, device_, error);
  return true;
}

Result<void> LinkConfig::enable_ipv6() {
  const std::string path = "/proc/sys/net/ipv6/conf/" + device_ + "/disable_ipv6";
  char disabled = '0';
  {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || ::read(file.get(), &disabled, 1) != 1) {
      return fail("this kernel has no IPv6", path,
                  "remove server-ipv6, or start the kernel without ipv6.disable=1");
    }
  }
  if (disabled == '0') return {};

  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), "0", 1) != 1) {
    return fail(fmt::format("IPv6 is disabled on the device and cannot be enabled: {}",
                            std::strerror(errno)),
                path,
                fmt::format("run \"sysctl net.ipv6.conf.default.disable_ipv6=0\" before the start "
                            "(in a container: --sysctl net.ipv6.conf.all.disable_ipv6=0)"));
  }
  return {};
}

}  // namespace ringway
