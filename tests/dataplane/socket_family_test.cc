#include "dataplane/socket_family.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <thread>

#include "dataplane/tcp_socket.h"
#include "dataplane/udp_socket.h"

namespace ringway {
namespace {

class KernelFamilyTest : public testing::TestWithParam<Transport> {
 protected:
  static ListenPlace place(const char* address, SocketFamily family) {
    ListenPlace place{.transport = GetParam(), .port = 1194, .family = family};
    if (address) place.address = IpAddress::parse(address);
    return place;
  }
  static std::string proto(const char* family) {
    return std::string(GetParam() == Transport::Udp ? "`proto udp" : "`proto tcp") + family + "`";
  }
};

TEST_P(KernelFamilyTest, IsThatOfTheAddress) {
  EXPECT_FALSE(kernel_family(place("192.0.2.1", SocketFamily::Both))->ipv6);
  EXPECT_TRUE(kernel_family(place("2001:db8::1", SocketFamily::Both))->ipv6);
}

TEST_P(KernelFamilyTest, ServesBothByOneSocketWithoutAnAddress) {
  EXPECT_TRUE(kernel_family(place(nullptr, SocketFamily::Both))->ipv6);
  EXPECT_TRUE(kernel_family(place(nullptr, SocketFamily::V6Only))->ipv6);
  EXPECT_FALSE(kernel_family(place(nullptr, SocketFamily::V4Only))->ipv6);
}

TEST_P(KernelFamilyTest, RefusesAnAddressOfTheOtherFamilyAndSaysWhatToWrite) {
  const auto v4 = kernel_family(place("192.0.2.1", SocketFamily::V6Only));
  ASSERT_FALSE(v4);
  EXPECT_EQ(v4.error().advice, "use " + proto("") + " or " + proto("4"));
  const auto v6 = kernel_family(place("2001:db8::1", SocketFamily::V4Only));
  ASSERT_FALSE(v6);
  EXPECT_EQ(v6.error().advice, "use " + proto("") + " or " + proto("6"));
}

INSTANTIATE_TEST_SUITE_P(OfEachProtocol, KernelFamilyTest,
                         testing::Values(Transport::Udp, Transport::Tcp));

/// From here on, this thread's kernel has no IPv6.
void forbid_ipv6() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), 0);
}

TEST(KernelWithoutIpv6, FallsBackToIpv4AndSaysSo) {
  std::thread([] {
    forbid_ipv6();
    const auto udp = open_udp_sockets({.port = 0}, 2);
    ASSERT_TRUE(udp);
    EXPECT_TRUE(udp->without_ipv6);
    EXPECT_FALSE(udp->sockets.at(0).is_ipv6());
    const auto tcp = open_tcp_listeners({.port = 0}, 2);
    ASSERT_TRUE(tcp);
    EXPECT_TRUE(tcp->without_ipv6);
    EXPECT_TRUE(tcp->listeners.at(0).local().address.is_v4());
  }).join();
  EXPECT_FALSE(open_udp_sockets({.port = 0}, 1)->without_ipv6);
  EXPECT_FALSE(open_tcp_listeners({.port = 0}, 1)->without_ipv6);
}

TEST(KernelWithoutIpv6, IsAnErrorWhereNothingElseWouldDo) {
  std::thread([] {
    forbid_ipv6();
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      const auto v6_only = kernel_family({.transport = transport, .family = SocketFamily::V6Only});
      ASSERT_FALSE(v6_only);
      EXPECT_EQ(v6_only.error().what, "the kernel has no IPv6");
      EXPECT_FALSE(
          kernel_family({.transport = transport, .address = IpAddress::parse("2001:db8::1")}));
    }
  }).join();
}

TEST(ListenPlace, IsNamedAsTheConfigurationHasIt) {
  EXPECT_EQ((ListenPlace{.port = 1194, .family = SocketFamily::V6Only}.to_string()),
            "port 1194 (UDP, IPv6)");
  EXPECT_EQ((ListenPlace{.transport = Transport::Tcp, .port = 443}.to_string()), "port 443 (TCP)");
  EXPECT_EQ((ListenPlace{.address = IpAddress::parse("2001:db8::1"), .port = 1194}.to_string()),
            "[2001:db8::1]:1194 (UDP)");
}

TEST(ExplainBindFailure, SaysWhatToDo) {
  const ListenPlace low{.port = 443};
  const ListenPlace high{.port = 1194, .family = SocketFamily::V6Only};
  EXPECT_NE(explain_bind_failure(EACCES, low).advice.find("CAP_NET_BIND_SERVICE"),
            std::string::npos);
  EXPECT_NE(explain_bind_failure(EACCES, high).advice.find("policy"), std::string::npos);
  EXPECT_EQ(explain_bind_failure(EADDRINUSE, high).where, "port 1194 (UDP, IPv6)");
  EXPECT_NE(explain_bind_failure(EADDRINUSE, high).advice.find("ss -lunp"), std::string::npos);
  EXPECT_NE(explain_bind_failure(EADDRINUSE, {.transport = Transport::Tcp}).advice.find("ss -ltnp"),
            std::string::npos);
  EXPECT_NE(explain_bind_failure(EADDRNOTAVAIL, low).advice.find("ip addr"), std::string::npos);
  EXPECT_NE(explain_bind_failure(ENODEV, low).advice.find("fe80::1%eth0"), std::string::npos);
  EXPECT_NE(explain_bind_failure(ENOBUFS, low).what.find("No buffer space"), std::string::npos);
}

}  // namespace
}  // namespace ringway
