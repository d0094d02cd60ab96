#include "dataplane/socket_route.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "dataplane/udp_socket.h"
#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

std::string device_of(const UdpSocket& socket) {
  char name[16] = {};
  socklen_t size = sizeof name;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, name, &size), 0);
  return name;
}

std::uint32_t mark_of(const UdpSocket& socket) {
  std::uint32_t mark = 0;
  socklen_t size = sizeof mark;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_MARK, &mark, &size), 0);
  return mark;
}

TEST(SocketRoute, HoldsForEverySocketOfAGroup) {
  test::run("ip link set lo up");
  const auto group =
      open_udp_sockets({.port = 0, .route = {.device = "lo", .mark = 0xdeadbeef}}, 3);

  ASSERT_TRUE(group) << group.error().to_string();
  ASSERT_EQ(group->sockets.size(), 3u);
  for (const UdpSocket& socket : group->sockets) {
    EXPECT_EQ(device_of(socket), "lo");
    EXPECT_EQ(mark_of(socket), 0xdeadbeefu);
  }
}

TEST(SocketRoute, LeavesAPortToAnotherProcessOnAnotherInterface) {
  test::run("ip link add first type veth peer name second");
  const auto one = open_udp_sockets({.port = 0, .route = {.device = "first"}}, 2);
  ASSERT_TRUE(one);
  const std::uint16_t port = one->sockets[0].local().port;

  EXPECT_TRUE(open_udp_sockets({.port = port, .route = {.device = "second"}}, 2));
  EXPECT_FALSE(open_udp_sockets({.port = port, .route = {.device = "first"}}, 2));
  EXPECT_FALSE(open_udp_sockets({.port = port}, 2));
  test::run("ip link delete first");
}

TEST(SocketRoute, NamesTheInterfaceThatIsNotThere) {
  const auto group = open_udp_sockets({.port = 0, .route = {.device = "nowhere0"}}, 1);

  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().where, "bind-dev nowhere0");
  EXPECT_EQ(group.error().what, "this machine has no such interface");
}

TEST(SocketRoute, ChangesNothingUnlessAsked) {
  const auto group = open_udp_sockets({.port = 0}, 1);

  ASSERT_TRUE(group);
  EXPECT_EQ(device_of(group->sockets[0]), "");
  EXPECT_EQ(mark_of(group->sockets[0]), 0u);
}

}  // namespace
}  // namespace ringway
