#include "tun/link_config.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/unique_fd.h"

namespace ringway {

namespace {

bool is_valid_length(const IpAddress& address, std::uint8_t length) {
  return length <= (address.is_v4() ? 32 : 128);
}

std::unexpected<Error> kernel_error(std::string_view what, const std::string& device, int error) {
  return fail(fmt::format("{}: {}", what, std::strerror(error)), device,
              std::string(rtnetlink_advice(error)));
}

void fill_route(RtnetlinkRequest& request, const LinkRoute& route, unsigned device) {
  auto& header = request.family_header<rtmsg>();
  header.rtm_family = family_of(route.destination.address);
  header.rtm_dst_len = route.destination.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_type = RTN_UNICAST;
  // Straight into the device, without a gateway, is what IPv4 calls link scope.
  header.rtm_scope = route.destination.address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  request.put(RTA_DST, route.destination.address);
  request.put(RTA_OIF, device);
  if (route.metric) request.put(RTA_PRIORITY, *route.metric);
}

}  // namespace

Result<LinkConfig> LinkConfig::open(const std::string& device) {
  const unsigned index = ::if_nametoindex(device.c_str());
  if (index == 0) return fail("there is no such network device", device);
  Result<RtnetlinkSocket> socket = RtnetlinkSocket::open();
  if (!socket) return fail(socket.error().what, device);
  return LinkConfig(device, index, std::move(*socket));
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
  const int error = socket_.transact(request);
  if (error != 0) return kernel_error(fmt::format("cannot set the MTU {}", mtu), device_, error);
  return {};
}

Result<void> LinkConfig::set_tx_queue_length(std::uint32_t packets) {
  RtnetlinkRequest request(RTM_NEWLINK, 0);
  auto& link = request.family_header<ifinfomsg>();
  link.ifi_index = static_cast<int>(index_);
  request.put(IFLA_TXQLEN, packets);
  const int error = socket_.transact(request);
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
  const int error = socket_.transact(request);
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
  const int error = socket_.transact(request);
  if (error != 0) return kernel_error(what, device_, error);
  return {};
}

Result<bool> LinkConfig::add_route(const LinkRoute& route) {
  const std::string what = fmt::format("cannot add the route {}", route.destination.to_string());
  if (!is_valid_length(route.destination.address, route.destination.length)) {
    return fail(what + ": no such prefix length", device_);
  }
  RtnetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  fill_route(request, route, index_);
  const int error = socket_.transact(request);
  if (error == EEXIST) return false;
  if (error != 0) return kernel_error(what, device_, error);
  return true;
}

Result<void> LinkConfig::remove_route(const LinkRoute& route) {
  RtnetlinkRequest request(RTM_DELROUTE, 0);
  fill_route(request, route, index_);
  const int error = socket_.transact(request);
  if (error == 0 || error == ESRCH) return {};
  return kernel_error(fmt::format("cannot remove the route {}", route.destination.to_string()),
                      device_, error);
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
