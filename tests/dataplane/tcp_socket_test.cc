#include "dataplane/tcp_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/dataplane/link_client.h"
#include "tests/dataplane/stream_client.h"

namespace ringway {
namespace {

using test::ip;
using test::StreamClient;

TcpListenerGroup open_group(const TcpListenSettings& settings, std::uint16_t count = 1) {
  auto group = open_tcp_listeners(settings, count);
  EXPECT_TRUE(group) << group.error().to_string();
  return group ? std::move(*group) : TcpListenerGroup{};
}

UniqueFd accept_on(const TcpListener& listener) {
  pollfd waiting{.fd = listener.fd(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, test::kPatienceMs) != 1) return {};
  return UniqueFd(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
}

class TcpSocketTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }
};

TEST_F(TcpSocketTest, ServesBothFamiliesAndNamesBothEnds) {
  const TcpListenerGroup group = open_group({.port = 0});
  const std::uint16_t port = group.listeners[0].local().port;
  for (const char* server : {"127.0.0.1", "::1"}) {
    const StreamClient client({ip(server), port});

    const auto socket = TcpSocket::adopt(accept_on(group.listeners[0]));

    ASSERT_TRUE(socket.has_value());
    EXPECT_EQ(socket->remote()->address, ip(server));
    EXPECT_EQ(socket->local(), (Endpoint{ip(server), port}));
  }
}

TEST_F(TcpSocketTest, SendsAtOnceAndKeepsLittleThatIsUnsent) {
  const TcpListenerGroup group = open_group({.port = 0});
  const StreamClient client(group.listeners[0].local().port == 0
                                ? Endpoint{}
                                : Endpoint{ip("::1"), group.listeners[0].local().port});
  const auto socket = TcpSocket::adopt(accept_on(group.listeners[0]));
  ASSERT_TRUE(socket.has_value());
  const auto option = [&](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(socket->fd(), IPPROTO_TCP, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(TCP_NODELAY), 1);
  EXPECT_EQ(option(TCP_NOTSENT_LOWAT), TcpSocket::kUnsentMax);
}

TEST_F(TcpSocketTest, SpreadsConnectionsOverTheListenersOfAGroup) {
  const TcpListenerGroup group = open_group({.port = 0}, 2);
  const Endpoint server{ip("127.0.0.1"), group.listeners[0].local().port};
  std::vector<std::unique_ptr<StreamClient>> clients;
  const auto has_some = [](const TcpListener& listener) {
    return test::is_readable(listener.fd(), 0);
  };
  for (int i = 0; i < 64; ++i) clients.push_back(std::make_unique<StreamClient>(server));
  EXPECT_TRUE(has_some(group.listeners[0]));
  EXPECT_TRUE(has_some(group.listeners[1]));
}

TEST_F(TcpSocketTest, RefusesAPortOnWhichSomebodyListens) {
  const TcpListenerGroup group = open_group({.port = 0});
  const auto again = open_tcp_listeners({.port = group.listeners[0].local().port}, 1);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().to_string().find("in use by another process"), std::string::npos);
}

TEST_F(TcpSocketTest, TakesThePortAgainWhileConnectionsOfTheLastServerDie) {
  TcpListenerGroup group = open_group({.port = 0});
  const std::uint16_t port = group.listeners[0].local().port;
  StreamClient client({ip("::1"), port});
  // Who closes first keeps the port for a minute (TIME_WAIT).
  accept_on(group.listeners[0]).reset();
  EXPECT_TRUE(client.has_ended());
  client.close();
  group = {};

  EXPECT_TRUE(open_tcp_listeners({.port = port}, 2).has_value());
}

TEST_F(TcpSocketTest, LeavesTheOtherFamilyAloneWhenOneIsAskedFor) {
  const TcpListenerGroup v6 = open_group({.port = 0, .family = SocketFamily::V6Only});
  const std::uint16_t port = v6.listeners[0].local().port;
  const TcpListenerGroup v4 = open_group({.port = port, .family = SocketFamily::V4Only});
  const StreamClient client({ip("127.0.0.1"), port});
  EXPECT_TRUE(test::is_readable(v4.listeners[0].fd(), test::kPatienceMs));
  EXPECT_FALSE(test::is_readable(v6.listeners[0].fd(), 0));
}

TEST_F(TcpSocketTest, ResetsWhatWasMarkedForIt) {
  const TcpListenerGroup group = open_group({.port = 0});
  StreamClient client({ip("::1"), group.listeners[0].local().port});
  {
    const auto socket = TcpSocket::adopt(accept_on(group.listeners[0]));
    ASSERT_TRUE(socket.has_value());
    socket->reset_on_close();
  }
  EXPECT_TRUE(client.has_ended());
  EXPECT_TRUE(client.was_reset());
}

TEST_F(TcpSocketTest, AdoptsNothingThatIsNotConnected) {
  EXPECT_FALSE(TcpSocket::adopt(UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))));
}

}  // namespace
}  // namespace ringway
