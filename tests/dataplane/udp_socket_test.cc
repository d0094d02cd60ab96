#include "dataplane/udp_socket.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "dataplane/confinement.h"
#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

using test::ip;
using test::LinkClient;
using test::receive_on;

UdpSocketGroup open_group(const UdpSocketSettings& settings, std::uint16_t count = 1) {
  auto group = open_udp_sockets(settings, count);
  EXPECT_TRUE(group) << group.error().to_string();
  return group ? std::move(*group) : UdpSocketGroup{};
}

int option(const UdpSocket& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.fd(), level, name, &value, &size), 0);
  return value;
}

const std::vector<std::uint8_t> kHello = {1, 2, 3};

/// Three datagrams of this size in one send; 0 or the errno.
int send_train(const UdpSocket& socket, const LinkEndpoint& to, std::size_t datagram_size) {
  const std::vector<std::uint8_t> train(3 * datagram_size, 7);
  OutgoingMessage message;
  message.prepare(to, socket.is_ipv6(), train, static_cast<std::uint16_t>(datagram_size));
  return ::sendmsg(socket.fd(), &message.header(), 0) < 0 ? errno : 0;
}

/// What `call` returns in a process that has no more than a worker has; minus the signal that ended
/// it.
int confined(const std::function<int()>& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!confine_worker(UnneededCall::Kills)) ::_exit(1);
    ::_exit(call());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

class UdpSocketTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test::run("ip link set lo up mtu 65536");
    for (const char* address :
         {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "fe80::1"}) {
      test::add_loopback_address(ip(address));
    }
  }
};

TEST_F(UdpSocketTest, DeliversTrainsWithTheirSegmentSizeAndOuterEcnInBothFamilies) {
  struct Case {
    SocketFamily family;
    const char* server;
  };
  for (const Case& one :
       {Case{SocketFamily::Both, "192.0.2.1"}, Case{SocketFamily::Both, "2001:db8::1"},
        Case{SocketFamily::V4Only, "192.0.2.1"}}) {
    const auto group = open_group({.port = 0, .family = one.family, .gro = true});
    EXPECT_TRUE(group.gro);
    const LinkClient client({ip(one.server), group.sockets[0].local().port});
    const std::vector<std::uint8_t> datagram(1000, 1);
    for (const int ecn : {0, 3}) {
      client.set_traffic_class(ecn);
      client.send_train({datagram, datagram, kHello});

      const auto received = receive_on(group.sockets[0]);

      ASSERT_TRUE(received.has_value());
      EXPECT_EQ(received->datagram.size(), 2003u);
      EXPECT_EQ(received->segment_size, 1000u);
      EXPECT_EQ(received->ecn, ecn) << one.server;
      EXPECT_EQ(received->from.local, ip(one.server));
    }
  }
}

TEST_F(UdpSocketTest, DeliversNoTrainsUnlessAsked) {
  const auto group = open_group({.port = 0});
  EXPECT_FALSE(group.gro);
  const LinkClient client({ip("192.0.2.1"), group.sockets[0].local().port});
  client.send_train({std::vector<std::uint8_t>(1000, 1), kHello});

  const auto received = receive_on(group.sockets[0]);

  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->datagram.size(), 1000u);
}

TEST_F(UdpSocketTest, BothFamiliesReachOneSocketWhateverTheMachinesDefaultIs) {
  for (const char* default_value : {"0", "1"}) {
    test::run(std::string("sysctl -qw net.ipv6.bindv6only=") + default_value);
    const auto group = open_group({.port = 0});
    ASSERT_EQ(group.sockets.size(), 1u);
    const UdpSocket& socket = group.sockets[0];

    EXPECT_EQ(option(socket, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    for (const char* server : {"192.0.2.1", "2001:db8::1"}) {
      const LinkClient client({ip(server), socket.local().port});
      client.send(kHello);
      const auto received = receive_on(socket);
      ASSERT_TRUE(received) << server << " with bindv6only=" << default_value;
      EXPECT_EQ(received->from.remote, client.local());
      EXPECT_EQ(received->from.local, ip(server));
    }
  }
  test::run("sysctl -qw net.ipv6.bindv6only=0");
}

TEST_F(UdpSocketTest, ServesIpv6AloneWhenToldSo) {
  const auto group = open_group({.port = 0, .family = SocketFamily::V6Only});
  const UdpSocket& socket = group.sockets.at(0);

  EXPECT_EQ(option(socket, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  const LinkClient v6({ip("2001:db8::1"), socket.local().port});
  v6.send(kHello);
  EXPECT_TRUE(receive_on(socket));
  const LinkClient v4({ip("192.0.2.1"), socket.local().port});
  v4.send(kHello);
  EXPECT_FALSE(receive_on(socket, 0));
}

TEST_F(UdpSocketTest, ServesIpv4AloneWhenToldSo) {
  const auto group = open_group({.port = 0, .family = SocketFamily::V4Only});
  const UdpSocket& socket = group.sockets.at(0);

  EXPECT_FALSE(socket.is_ipv6());
  EXPECT_EQ(option(socket, SOL_SOCKET, SO_DOMAIN), AF_INET);
  const LinkClient client({ip("192.0.2.2"), socket.local().port});
  client.send(kHello);
  const auto received = receive_on(socket);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->from.remote, client.local());
  EXPECT_EQ(received->from.local, ip("192.0.2.2"));
}

// LinkClient is connected: it hears an answer from the address that it asked, and no other.
TEST_F(UdpSocketTest, AnswersFromTheAddressThatTheClientAsked_R19) {
  for (const SocketFamily family : {SocketFamily::Both, SocketFamily::V4Only}) {
    const auto group = open_group({.port = 0, .family = family});
    const UdpSocket& socket = group.sockets.at(0);
    for (const char* server : {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}) {
      if (!socket.is_ipv6() && !ip(server).is_v4()) continue;
      // The routing table would answer 192.0.2.1 from 192.0.2.1, whoever was asked.
      const auto from = ip(ip(server).is_v4() ? "192.0.2.1" : "2001:db8::1");
      const LinkClient client({ip(server), socket.local().port}, from);
      client.send(kHello);
      const auto received = receive_on(socket);
      ASSERT_TRUE(received);

      EXPECT_EQ(socket.send(received->from, kHello), 0);

      EXPECT_EQ(client.receive(), kHello) << server;
    }
  }
}

TEST_F(UdpSocketTest, AnswersALinkLocalClientOnItsInterface_R19) {
  const auto group = open_group({.port = 0});
  const UdpSocket& socket = group.sockets.at(0);
  const LinkClient client({ip("fe80::1"), socket.local().port, 1});
  client.send(kHello);
  const auto received = receive_on(socket);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->from.remote.scope_id, 1u);

  EXPECT_EQ(socket.send(received->from, kHello), 0);

  EXPECT_EQ(client.receive(), kHello);
}

TEST_F(UdpSocketTest, ADuplicateAnswersFromTheSamePort) {
  const auto group = open_group({.port = 0});
  const auto duplicate = group.sockets.at(0).duplicate();
  ASSERT_TRUE(duplicate);
  const LinkClient client({ip("2001:db8::2"), group.sockets[0].local().port});
  client.send(kHello);
  const auto received = receive_on(group.sockets[0]);
  ASSERT_TRUE(received);

  EXPECT_EQ(duplicate->send(received->from, kHello), 0);

  EXPECT_EQ(client.receive(), kHello);
}

TEST_F(UdpSocketTest, FragmentsNothingAndRefusesWhatIsLargerThanTheLinkInBothFamilies) {
  test::run("ip link set lo mtu 1400");
  const auto group = open_group({.port = 0});
  const UdpSocket& socket = group.sockets.at(0);
  for (const char* server : {"192.0.2.1", "2001:db8::1"}) {
    const LinkClient client({ip(server), socket.local().port});
    client.send(kHello);
    const auto received = receive_on(socket);
    ASSERT_TRUE(received);
    const std::size_t most = 1400u - 8 - (ip(server).is_v4() ? 20 : 40);
    const std::vector<std::uint8_t> fits(most, 7);
    const std::vector<std::uint8_t> too_large(most + 1, 7);

    EXPECT_EQ(socket.send(received->from, too_large), EMSGSIZE);
    EXPECT_EQ(send_train(socket, received->from, too_large.size()), EMSGSIZE) << server;
    EXPECT_EQ(socket.send(received->from, fits), 0);
    EXPECT_EQ(send_train(socket, received->from, fits.size()), 0);

    EXPECT_EQ(client.receive(), fits) << server;
  }
  test::run("ip link set lo mtu 65536");
}

TEST_F(UdpSocketTest, DividesWhatHasToBeSentAndNothingElse) {
  test::run("ip link set lo mtu 1280");
  const auto group = open_group({.port = 0});
  const UdpSocket& socket = group.sockets.at(0);
  // What a packet of 1,280 bytes becomes.
  const std::vector<std::uint8_t> large(1304, 7);
  for (const char* server : {"192.0.2.1", "2001:db8::1"}) {
    const LinkClient client({ip(server), socket.local().port});
    client.send(kHello);
    const auto received = receive_on(socket);
    ASSERT_TRUE(received);

    EXPECT_EQ(confined([&] { return socket.send_divisible(received->from, large); }), 0) << server;
    EXPECT_EQ(client.receive(), large) << server;
    EXPECT_EQ(socket.send(received->from, large), EMSGSIZE) << server;

    // Where the sender leaves it to the kernel from which address it sends, as a client does.
    LinkEndpoint to = received->from;
    to.local = {};
    EXPECT_EQ(socket.send_divisible(to, large), 0);
  }
  test::run("ip link set lo mtu 65536");
}

TEST_F(UdpSocketTest, ProbesInBothFamiliesAndAsksForNoErrors_C08) {
  const auto both = open_group({.port = 0});
  const auto v4_only = open_group({.port = 0, .family = SocketFamily::V4Only});

  EXPECT_EQ(option(both.sockets.at(0), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  EXPECT_EQ(option(both.sockets.at(0), IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_PROBE);
  EXPECT_EQ(option(v4_only.sockets.at(0), IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  EXPECT_EQ(option(both.sockets.at(0), IPPROTO_IP, IP_RECVERR), 0);
  EXPECT_EQ(option(both.sockets.at(0), IPPROTO_IPV6, IPV6_RECVERR), 0);
}

TEST_F(UdpSocketTest, RefusesAPortThatAnotherServerOfTheSameUserSharesOut) {
  const auto first = open_group({.port = 0}, 2);

  const auto second = open_udp_sockets({.port = first.sockets.at(0).local().port}, 2);

  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("in use by another process"), std::string::npos);
  EXPECT_NE(second.error().advice.find("ss -lunp"), std::string::npos);
}

TEST_F(UdpSocketTest, RefusesAPortThatAnIpv4ServerHas) {
  const auto first = open_group({.port = 0, .family = SocketFamily::V4Only});

  const auto second = open_udp_sockets({.port = first.sockets.at(0).local().port}, 1);

  EXPECT_FALSE(second);
}

TEST_F(UdpSocketTest, RefusesAnAddressThatTheMachineDoesNotHave) {
  for (const char* address : {"203.0.113.77", "2001:db8:77::dead"}) {
    const auto group = open_udp_sockets({.address = ip(address), .port = 1194}, 1);

    ASSERT_FALSE(group);
    EXPECT_NE(group.error().to_string().find("does not have the address"), std::string::npos);
    EXPECT_NE(group.error().where.find(address), std::string::npos);
  }
}

TEST_F(UdpSocketTest, ListensOnOneAddressOfEitherFamily) {
  for (const char* address : {"192.0.2.2", "2001:db8::2"}) {
    const auto group = open_group({.address = ip(address), .port = 0}, 2);
    for (const UdpSocket& socket : group.sockets) {
      EXPECT_EQ(socket.local().address, ip(address));
      EXPECT_EQ(socket.local().port, group.sockets[0].local().port);
    }
  }
}

}  // namespace
}  // namespace ringway
