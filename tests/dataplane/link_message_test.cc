#include "dataplane/link_message.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace ringway {
namespace {

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

Bytes control_of(const OutgoingMessage& message) {
  return {static_cast<const std::uint8_t*>(message.header().msg_control),
          message.header().msg_controllen};
}
Bytes name_of(const OutgoingMessage& message) {
  return {static_cast<const std::uint8_t*>(message.header().msg_name),
          message.header().msg_namelen};
}

struct Case {
  const char* remote;
  const char* local;
  bool ipv6;
};
constexpr Case kCases[] = {{"2001:db8::1", "2001:db8::2", true},  // IPv6
                           {"192.0.2.1", "192.0.2.2", true},      // IPv4 on a dual-stack socket
                           {"192.0.2.1", "192.0.2.2", false}};    // IPv4 on its own socket

TEST(OutgoingMessage, AndDecodingAreInverse) {
  for (const Case& one : kCases) {
    const LinkEndpoint to{
        .remote = {address(one.remote), 4711}, .local = address(one.local), .listener = 3};
    const std::vector<std::uint8_t> payload(5, 1);

    OutgoingMessage message;
    message.prepare(to, one.ipv6, payload);

    EXPECT_EQ(decode_link_endpoint(name_of(message), control_of(message), 3), to);
    EXPECT_EQ(message.header().msg_iov->iov_len, payload.size());
  }
}

TEST(OutgoingMessage, NamesTheInterfaceOfALinkLocalAddressOnly) {
  OutgoingMessage message;
  message.prepare({.remote = {address("fe80::1"), 1, 7}, .local = address("fe80::2")}, true, {});

  in6_pktinfo info;
  std::memcpy(&info, control_of(message).subspan(CMSG_LEN(0)).data(), sizeof info);
  EXPECT_EQ(info.ipi6_ifindex, 7u);
  EXPECT_EQ(decode_socket_name(name_of(message))->scope_id, 7u);
}

TEST(OutgoingMessage, SaysTheTrafficClassToTheFamilyThatIsSent) {
  for (const Case& one : kCases) {
    OutgoingMessage message;
    message.prepare({.remote = {address(one.remote), 1}, .local = {}}, one.ipv6, {}, 0, 0xb9);

    cmsghdr header;
    std::memcpy(&header, control_of(message).data(), sizeof header);
    const bool is_v4 = address(one.remote).is_v4();
    EXPECT_EQ(header.cmsg_level, is_v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6});
    EXPECT_EQ(header.cmsg_type, is_v4 ? IP_TOS : IPV6_TCLASS);
    int value = 0;
    std::memcpy(&value, control_of(message).subspan(CMSG_LEN(0)).data(), sizeof value);
    EXPECT_EQ(value, 0xb9);
  }
}

TEST(OutgoingMessage, LeavesTheSourceToTheKernelWhenThereIsNone) {
  OutgoingMessage message;

  message.prepare({.remote = {address("192.0.2.1"), 1}, .local = {}}, true, {});

  EXPECT_EQ(message.header().msg_controllen, 0u);
}

TEST(LinkMessage, RefusesEveryTruncatedName) {
  for (const bool ipv6 : {true, false}) {
    const SocketName name = SocketName::of({address("192.0.2.1"), 1}, ipv6);
    for (std::size_t size = 0; size < name.size; ++size) {
      EXPECT_FALSE(decode_socket_name(Bytes(name.bytes).first(size)).has_value()) << size;
    }
    EXPECT_TRUE(decode_socket_name(Bytes(name.bytes).first(name.size)).has_value());
  }
}

TEST(LinkMessage, RefusesEveryTruncatedControlMessage_E05) {
  for (const Case& one : kCases) {
    OutgoingMessage message;
    message.prepare({.remote = {address(one.remote), 1}, .local = address(one.local)}, one.ipv6,
                    {});
    const std::size_t whole =
        one.ipv6 ? CMSG_LEN(sizeof(in6_pktinfo)) : CMSG_LEN(sizeof(in_pktinfo));
    for (std::size_t size = 0; size < whole; ++size) {
      const Bytes control = control_of(message).first(size);
      EXPECT_FALSE(decode_link_endpoint(name_of(message), control, 0).has_value()) << size;
    }
  }
}

TEST(LinkMessage, SkipsControlMessagesThatItDoesNotKnow) {
  OutgoingMessage message;
  message.prepare({.remote = {address("192.0.2.1"), 1}, .local = address("192.0.2.2")}, true, {});
  cmsghdr other{};
  other.cmsg_len = CMSG_LEN(4);
  other.cmsg_level = IPPROTO_IPV6;
  other.cmsg_type = IPV6_TCLASS;
  std::vector<std::uint8_t> control(CMSG_SPACE(4));
  std::memcpy(control.data(), &other, sizeof other);
  const Bytes pktinfo = control_of(message);
  control.insert(control.end(), pktinfo.begin(), pktinfo.end());

  const auto endpoint = decode_link_endpoint(name_of(message), control, 0);

  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->local, address("192.0.2.2"));
}

/// A control message of `body`, padded as the kernel does.
std::vector<std::uint8_t> control_message(int level, int type, Bytes body) {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(body.size());
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::vector<std::uint8_t> message(CMSG_SPACE(body.size()));
  std::memcpy(message.data(), &header, sizeof header);
  std::ranges::copy(body, message.begin() + CMSG_LEN(0));
  return message;
}
Bytes bytes_of_int(const int& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

TEST(LinkMessage, ReadsTheSegmentSizeAndTheOuterEcnWhereverTheyStand_E06) {
  OutgoingMessage message;
  message.prepare({.remote = {address("192.0.2.1"), 1}, .local = address("192.0.2.2")}, true, {});
  const Bytes pktinfo = control_of(message);
  const int size = 1400;
  const int traffic_class = 0xbb;
  const std::uint8_t service = 0x02;
  const auto train = control_message(SOL_UDP, UDP_GRO, bytes_of_int(size));
  const auto v6 = control_message(IPPROTO_IPV6, IPV6_TCLASS, bytes_of_int(traffic_class));
  const auto v4 = control_message(IPPROTO_IP, IP_TOS, {&service, 1});

  for (const auto& [mark, ecn] : {std::pair{v6, 3}, std::pair{v4, 2}}) {
    std::vector<std::uint8_t> control(train);
    control.insert(control.end(), pktinfo.begin(), pktinfo.end());
    control.insert(control.end(), mark.begin(), mark.end());

    const auto arrival = decode_link_arrival(name_of(message), control, 0);

    ASSERT_TRUE(arrival.has_value());
    EXPECT_EQ(arrival->segment_size, 1400u);
    EXPECT_EQ(arrival->ecn, ecn);
    EXPECT_EQ(arrival->from.local, address("192.0.2.2"));
    for (std::size_t cut = 0; cut < control.size(); ++cut) {
      static_cast<void>(decode_link_arrival(name_of(message), Bytes(control).first(cut), 0));
    }
  }
}

TEST(LinkMessage, ASegmentSizeThatIsNoneIsZero_E06) {
  OutgoingMessage message;
  message.prepare({.remote = {address("192.0.2.1"), 1}, .local = address("192.0.2.2")}, true, {});
  const Bytes pktinfo = control_of(message);
  for (const int size : {0, -1, -1400}) {
    auto control = control_message(SOL_UDP, UDP_GRO, bytes_of_int(size));
    control.insert(control.end(), pktinfo.begin(), pktinfo.end());

    EXPECT_EQ(decode_link_arrival(name_of(message), control, 0)->segment_size, 0u);
  }
}

TEST(LinkMessage, AMulticastDestinationIsNoAddressToAnswerFrom) {
  OutgoingMessage message;
  message.prepare({.remote = {address("fe80::1"), 1, 2}, .local = address("ff02::1")}, true, {});

  const auto endpoint = decode_link_endpoint(name_of(message), control_of(message), 0);

  ASSERT_TRUE(endpoint.has_value());
  EXPECT_TRUE(endpoint->local.is_unspecified());
}

}  // namespace
}  // namespace ringway
