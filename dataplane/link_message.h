#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

/// The form in which the kernel's socket calls speak of a LinkEndpoint: a sockaddr for the far end
/// and a control message (IPV6_PKTINFO, or IP_PKTINFO on an AF_INET socket) for the near one. A
/// dual-stack socket uses v4-mapped addresses in both, as IpAddress does. Pure.
namespace ringway {

/// Room for the largest sockaddr, and for three control messages: pktinfo of either family, the
/// segment size of UDP_GRO, and the traffic class.
inline constexpr std::size_t kSocketNameSize = 32;
inline constexpr std::size_t kSocketControlSize = 96;
static_assert(kSocketNameSize >= sizeof(sockaddr_in6));
static_assert(sizeof(in6_pktinfo) >= sizeof(in_pktinfo));
static_assert(kSocketControlSize >= CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)));

/// What the kernel says of a received message besides its bytes.
struct LinkArrival {
  /// `local` stays unspecified for a multicast or broadcast destination, which nobody can answer
  /// from.
  LinkEndpoint from;
  /// UDP_GRO: the message is a train of datagrams of this size, of which the last may be smaller.
  /// Zero: it is one datagram.
  std::size_t segment_size = 0;
  /// The two low bits of the outer traffic class (RFC 3168), the same for a whole train.
  std::uint8_t ecn = 0;
};
/// Nothing when the kernel named no source or no local address.
[[nodiscard]] std::optional<LinkArrival> decode_link_arrival(Bytes name, Bytes control,
                                                             std::uint8_t listener);
[[nodiscard]] std::optional<LinkEndpoint> decode_link_endpoint(Bytes name, Bytes control,
                                                               std::uint8_t listener);

/// A sockaddr for bind() and sendto(); `size` bytes of it count.
struct SocketName {
  alignas(sockaddr_in6) std::array<std::uint8_t, sizeof(sockaddr_in6)> bytes{};
  socklen_t size = 0;

  /// `ipv6` says which kind of socket it is for; an AF_INET socket takes IPv4 addresses only.
  static SocketName of(const Endpoint& endpoint, bool ipv6);
  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(bytes.data());
  }
};
[[nodiscard]] std::optional<Endpoint> decode_socket_name(Bytes name);

/// Everything that sendmsg() reads of one datagram, or of one train of them, besides its bytes. The
/// kernel may read it until the send completes: it stays where it is and as it is so long. Neither
/// copied nor moved.
class OutgoingMessage {
 public:
  OutgoingMessage() = default;
  OutgoingMessage(const OutgoingMessage&) = delete;
  OutgoingMessage& operator=(const OutgoingMessage&) = delete;

  /// `bytes` is borrowed until the send completes. The kernel cuts it into datagrams of
  /// `segment_size` bytes (UDP_SEGMENT); 0: it is one. All have this `traffic_class`.
  void prepare(const LinkEndpoint& to, bool ipv6, Bytes bytes, std::uint16_t segment_size = 0,
               std::uint8_t traffic_class = 0);
  [[nodiscard]] const msghdr& header() const { return header_; }

 private:
  static constexpr std::size_t kControlSize =
      CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(int));

  void add_source(const LinkEndpoint& to, bool ipv6);
  template <typename T>
  void add_control(int level, int type, const T& value);

  msghdr header_{};
  iovec vector_{};
  SocketName name_;
  alignas(cmsghdr) std::array<std::uint8_t, kControlSize> control_{};
};

}  // namespace ringway
