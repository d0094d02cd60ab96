#include "dataplane/link_message.h"

#include <arpa/inet.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace ringway {
namespace {

/// Control messages are laid out by the kernel for this machine, so they are read as structs and
/// not with a ByteReader; every length is checked all the same.
template <typename T>
bool read_struct(Bytes from, T& value) {
  if (from.size() < sizeof value) return false;
  std::memcpy(&value, from.data(), sizeof value);
  return true;
}

IpAddress unicast_or_unspecified(const IpAddress& address) {
  const bool multicast =
      address.is_v4() ? address.v4_value() >> 28 == 0xe : address.bytes()[0] == 0xff;
  return multicast ? IpAddress() : address;
}

/// One control message, without what it is padded with.
struct ControlMessage {
  int level = 0;
  int type = 0;
  Bytes body;
};

/// Takes the first message off `control`; nothing when there is none, or none that is whole.
std::optional<ControlMessage> take_message(Bytes& control) {
  cmsghdr header;
  if (!read_struct(control, header)) return std::nullopt;
  if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > control.size()) return std::nullopt;
  const Bytes body = control.first(header.cmsg_len).subspan(CMSG_LEN(0));
  control = control.subspan(std::min<std::size_t>(CMSG_ALIGN(header.cmsg_len), control.size()));
  return ControlMessage{.level = header.cmsg_level, .type = header.cmsg_type, .body = body};
}

std::optional<IpAddress> local_address(const ControlMessage& message) {
  if (message.level == IPPROTO_IPV6 && message.type == IPV6_PKTINFO) {
    in6_pktinfo info;
    if (!read_struct(message.body, info)) return std::nullopt;
    return unicast_or_unspecified(IpAddress::v6({info.ipi6_addr.s6_addr, 16}));
  }
  if (message.level == IPPROTO_IP && message.type == IP_PKTINFO) {
    in_pktinfo info;
    if (!read_struct(message.body, info)) return std::nullopt;
    // For a broadcast the kernel puts the interface's own address here.
    return unicast_or_unspecified(IpAddress::v4(ntohl(info.ipi_spec_dst.s_addr)));
  }
  return std::nullopt;
}

/// An int, of which the kernel sends one byte where it speaks of IPv4's type of service.
std::optional<int> number_in(const ControlMessage& message) {
  int value = 0;
  if (read_struct(message.body, value)) return value;
  if (message.body.size() == 1) return message.body[0];
  return std::nullopt;
}

void note_number(const ControlMessage& message, LinkArrival& arrival) {
  const bool is_segment_size = message.level == SOL_UDP && message.type == UDP_GRO;
  const bool is_traffic_class = (message.level == IPPROTO_IPV6 && message.type == IPV6_TCLASS) ||
                                (message.level == IPPROTO_IP && message.type == IP_TOS);
  if (!is_segment_size && !is_traffic_class) return;
  const std::optional<int> number = number_in(message);
  if (!number) return;
  if (is_traffic_class) arrival.ecn = static_cast<std::uint8_t>(*number & 3);
  if (is_segment_size && *number > 0) arrival.segment_size = static_cast<std::size_t>(*number);
}

bool is_link_local(const IpAddress& address) {
  return !address.is_v4() && address.bytes()[0] == 0xfe && (address.bytes()[1] & 0xc0) == 0x80;
}

}  // namespace

std::optional<Endpoint> decode_socket_name(Bytes name) {
  sa_family_t family = AF_UNSPEC;
  if (!read_struct(name, family)) return std::nullopt;
  if (family == AF_INET6) {
    sockaddr_in6 socket_name;
    if (!read_struct(name, socket_name)) return std::nullopt;
    const IpAddress address = IpAddress::v6({socket_name.sin6_addr.s6_addr, 16});
    return Endpoint{.address = address,
                    .port = ntohs(socket_name.sin6_port),
                    .scope_id = is_link_local(address) ? socket_name.sin6_scope_id : 0};
  }
  sockaddr_in socket_name;
  if (family != AF_INET || !read_struct(name, socket_name)) return std::nullopt;
  return Endpoint{.address = IpAddress::v4(ntohl(socket_name.sin_addr.s_addr)),
                  .port = ntohs(socket_name.sin_port)};
}

std::optional<LinkArrival> decode_link_arrival(Bytes name, Bytes control, std::uint8_t listener) {
  const auto remote = decode_socket_name(name);
  if (!remote) return std::nullopt;
  LinkArrival arrival{.from = {.remote = *remote, .local = {}, .listener = listener}};
  bool has_local = false;
  while (const auto message = take_message(control)) {
    if (const auto local = local_address(*message)) {
      arrival.from.local = *local;
      has_local = true;
    } else {
      note_number(*message, arrival);
    }
  }
  if (!has_local) return std::nullopt;
  return arrival;
}

std::optional<LinkEndpoint> decode_link_endpoint(Bytes name, Bytes control, std::uint8_t listener) {
  const auto arrival = decode_link_arrival(name, control, listener);
  if (!arrival) return std::nullopt;
  return arrival->from;
}

SocketName SocketName::of(const Endpoint& endpoint, bool ipv6) {
  SocketName name;
  if (ipv6) {
    sockaddr_in6 socket_name{};
    socket_name.sin6_family = AF_INET6;
    socket_name.sin6_port = htons(endpoint.port);
    socket_name.sin6_scope_id = endpoint.scope_id;
    std::memcpy(socket_name.sin6_addr.s6_addr, endpoint.address.bytes().data(), 16);
    std::memcpy(name.bytes.data(), &socket_name, sizeof socket_name);
    name.size = sizeof socket_name;
  } else {
    sockaddr_in socket_name{};
    socket_name.sin_family = AF_INET;
    socket_name.sin_port = htons(endpoint.port);
    // The unspecified address has no IPv4 form of its own; 0.0.0.0 is its meaning here.
    socket_name.sin_addr.s_addr = endpoint.address.is_v4() ? htonl(endpoint.address.v4_value()) : 0;
    std::memcpy(name.bytes.data(), &socket_name, sizeof socket_name);
    name.size = sizeof socket_name;
  }
  return name;
}

void OutgoingMessage::prepare(const LinkEndpoint& to, bool ipv6, Bytes bytes,
                              std::uint16_t segment_size, std::uint8_t traffic_class) {
  name_ = SocketName::of(to.remote, ipv6);
  // sendmsg() does not write to what it sends, but its iovec serves readers too.
  vector_ = {.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  header_ = {};
  header_.msg_name = name_.bytes.data();
  header_.msg_namelen = name_.size;
  header_.msg_iov = &vector_;
  header_.msg_iovlen = 1;
  add_source(to, ipv6);
  if (segment_size > 0) add_control(SOL_UDP, UDP_SEGMENT, segment_size);
  if (traffic_class == 0) return;
  // What goes to a v4-mapped address is IPv4's, on a socket of either family.
  const int value = traffic_class;
  if (to.remote.address.is_v4()) {
    add_control(IPPROTO_IP, IP_TOS, value);
  } else {
    add_control(IPPROTO_IPV6, IPV6_TCLASS, value);
  }
}

void OutgoingMessage::add_source(const LinkEndpoint& to, bool ipv6) {
  if (to.local.is_unspecified()) return;
  if (ipv6) {
    in6_pktinfo info{};
    std::memcpy(info.ipi6_addr.s6_addr, to.local.bytes().data(), 16);
    // A link-local address means nothing without its interface; all others are left to routing.
    info.ipi6_ifindex = to.remote.scope_id;
    add_control(IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else if (to.local.is_v4()) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(to.local.v4_value());
    add_control(IPPROTO_IP, IP_PKTINFO, info);
  }
}

template <typename T>
void OutgoingMessage::add_control(int level, int type, const T& value) {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof value);
  header.cmsg_level = level;
  header.cmsg_type = type;
  const MutableBytes out = MutableBytes(control_).subspan(header_.msg_controllen);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.subspan(CMSG_LEN(0)).data(), &value, sizeof value);
  header_.msg_control = control_.data();
  header_.msg_controllen += CMSG_SPACE(sizeof value);
}

}  // namespace ringway
