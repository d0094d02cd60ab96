#include "tun/host_routes.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace ringway {
namespace {

IpAddress address_of(const nlattr& attribute) {
  const Bytes bytes(static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)),
                    mnl_attr_get_payload_len(&attribute));
  if (bytes.size() == 4) return IpAddress::v4(bytes);
  return bytes.size() == 16 ? IpAddress::v6(bytes) : IpAddress();
}

/// `struct rtvia`: a family, and an address of it.
IpAddress address_of_via(const nlattr& attribute) {
  const Bytes bytes(static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)),
                    mnl_attr_get_payload_len(&attribute));
  return bytes.size() == 18 ? IpAddress::v6(bytes.subspan(2)) : IpAddress();
}

/// 0 where there are no four bytes.
std::uint32_t number_of(const nlattr& attribute) {
  return mnl_attr_get_payload_len(&attribute) < sizeof(std::uint32_t)
             ? 0
             : mnl_attr_get_u32(&attribute);
}

int read_metric(const nlattr* attribute, void* context) {
  if (mnl_attr_get_type(attribute) == RTAX_MTU) {
    static_cast<HostRoute*>(context)->mtu = number_of(*attribute);
  }
  return MNL_CB_OK;
}

/// What a route and each of the next hops of a multipath route have in common.
void read_hop(const nlattr& attribute, HostRoute& route) {
  switch (mnl_attr_get_type(&attribute)) {
    case RTA_GATEWAY: route.gateway = address_of(attribute); return;
    case RTA_VIA: route.gateway = address_of_via(attribute); return;
    case RTA_OIF: route.device = number_of(attribute); return;
    default: return;
  }
}

int read_hop(const nlattr* attribute, void* context) {
  read_hop(*attribute, *static_cast<HostRoute*>(context));
  return MNL_CB_OK;
}

/// The first of several next hops stands for all: one way beside the tunnel is enough.
void read_first_hop(const nlattr& multipath, HostRoute& route) {
  const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(&multipath));
  const std::size_t size = mnl_attr_get_payload_len(&multipath);
  if (size < sizeof(rtnexthop) || hop->rtnh_len < sizeof(rtnexthop) || hop->rtnh_len > size) {
    return;
  }
  route.device = static_cast<unsigned>(hop->rtnh_ifindex);
  route.is_onlink = (hop->rtnh_flags & RTNH_F_ONLINK) != 0;
  mnl_attr_parse_payload(hop + 1, hop->rtnh_len - sizeof(rtnexthop), read_hop, &route);
}

/// A route of whatever table.
struct Entry {
  HostRoute route;
  std::uint32_t table = 0;
};

int read_attribute(const nlattr* attribute, void* context) {
  auto& [route, table] = *static_cast<Entry*>(context);
  switch (mnl_attr_get_type(attribute)) {
    case RTA_DST: route.destination.address = address_of(*attribute); break;
    case RTA_PRIORITY: route.metric = number_of(*attribute); break;
    case RTA_PREFSRC: route.source = address_of(*attribute); break;
    case RTA_TABLE: table = number_of(*attribute); break;
    case RTA_METRICS: mnl_attr_parse_nested(attribute, read_metric, &route); break;
    case RTA_MULTIPATH: read_first_hop(*attribute, route); break;
    default: read_hop(*attribute, route); break;
  }
  return MNL_CB_OK;
}

void put_gateway(RtnetlinkRequest& request, const HostRoute& route) {
  if (route.gateway->is_v4() == route.destination.address.is_v4()) {
    request.put(RTA_GATEWAY, *route.gateway);
    return;
  }
  std::array<std::uint8_t, 18> via{};
  const std::uint16_t family = AF_INET6;
  std::memcpy(via.data(), &family, sizeof family);
  std::ranges::copy(route.gateway->wire(), via.begin() + sizeof family);
  mnl_attr_put(request.header, RTA_VIA, via.size(), via.data());
}

void describe(RtnetlinkRequest& request, const HostRoute& route) {
  auto& header = request.family_header<rtmsg>();
  header.rtm_family = family_of(route.destination.address);
  header.rtm_dst_len = route.destination.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = HostRoutes::kProtocol;
  header.rtm_type = route.is_unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
  const bool is_direct = route.destination.address.is_v4() && !route.gateway;
  header.rtm_scope = is_direct && !route.is_unreachable ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  if (route.is_onlink) header.rtm_flags |= RTNH_F_ONLINK;
  request.put(RTA_DST, route.destination.address);
  if (route.gateway) put_gateway(request, route);
  if (route.device != 0) request.put(RTA_OIF, route.device);
  if (route.source) request.put(RTA_PREFSRC, *route.source);
  if (route.metric) request.put(RTA_PRIORITY, *route.metric);
  if (route.mtu != 0) {
    nlattr* metrics = mnl_attr_nest_start(request.header, RTA_METRICS);
    request.put(RTAX_MTU, route.mtu);
    mnl_attr_nest_end(request.header, metrics);
  }
}

}  // namespace

void take_route_message(const nlmsghdr& header, std::vector<HostRoute>& routes) {
  if (mnl_nlmsg_get_payload_len(&header) < sizeof(rtmsg)) return;
  const auto* message = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&header));
  const bool is_unreachable = message->rtm_type == RTN_UNREACHABLE ||
                              message->rtm_type == RTN_BLACKHOLE ||
                              message->rtm_type == RTN_PROHIBIT || message->rtm_type == RTN_THROW;
  if (header.nlmsg_type != RTM_NEWROUTE || message->rtm_protocol == HostRoutes::kProtocol ||
      (message->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) != 0 ||
      (message->rtm_type != RTN_UNICAST && !is_unreachable)) {
    return;
  }
  Entry entry{.table = message->rtm_table};
  HostRoute& route = entry.route;
  if (message->rtm_family == AF_INET) route.destination.address = IpAddress::v4(0);
  route.destination.length = message->rtm_dst_len;
  route.is_unreachable = is_unreachable;
  route.is_onlink = (message->rtm_flags & RTNH_F_ONLINK) != 0;
  mnl_attr_parse(&header, sizeof(rtmsg), read_attribute, &entry);
  if (is_unreachable) route.device = 0;
  // What is v4-mapped among the IPv6 routes is nobody's way to anywhere.
  const bool is_v4 = route.destination.address.is_v4();
  if (message->rtm_family == AF_INET6 && is_v4) return;
  if (route.destination.length > (is_v4 ? 32 : 128)) return;
  if (entry.table == RT_TABLE_MAIN) routes.push_back(std::move(route));
}

Result<HostRoutes> HostRoutes::open() {
  Result<RtnetlinkSocket> socket = RtnetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  return HostRoutes(std::move(*socket));
}

Result<std::vector<HostRoute>> HostRoutes::list() {
  std::vector<HostRoute> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    RtnetlinkRequest request(RTM_GETROUTE, 0);
    request.family_header<rtmsg>().rtm_family = static_cast<std::uint8_t>(family);
    const int error = socket_.dump(
        request, [&](const nlmsghdr& message) { take_route_message(message, routes); });
    if (error != 0) {
      return fail(fmt::format("cannot read the host's routes: {}", std::strerror(error)));
    }
  }
  return routes;
}

Result<bool> HostRoutes::add(const HostRoute& route) {
  RtnetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  describe(request, route);
  const int error = socket_.transact(request);
  if (error == EEXIST) return false;
  if (error != 0) {
    return fail(fmt::format("cannot add the route {}: {}", route.to_string(), std::strerror(error)),
                {}, std::string(rtnetlink_advice(error)));
  }
  return true;
}

Result<void> HostRoutes::remove(const HostRoute& route) {
  RtnetlinkRequest request(RTM_DELROUTE, 0);
  describe(request, route);
  const int error = socket_.transact(request);
  if (error != 0 && error != ESRCH && error != ENODEV) {
    return fail(
        fmt::format("cannot take the route {} away: {}", route.to_string(), std::strerror(error)),
        {}, std::string(rtnetlink_advice(error)));
  }
  return {};
}

}  // namespace ringway
