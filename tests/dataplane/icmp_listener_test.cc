#include "dataplane/icmp_listener.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <vector>

#include "tests/dataplane/link_client.h"
#include "tun/checksum.h"

/// With messages that anybody could forge, from the loopback device to itself.
namespace ringway {
namespace {

using test::ip;
using test::LinkClient;
using test::receive_on;

using Packet = std::vector<std::uint8_t>;

/// "Fragmentation needed" or "packet too big" about a datagram between the two.
Packet forged(const Endpoint& from, const Endpoint& to, std::uint16_t mtu) {
  const bool v4 = from.address.is_v4();
  Packet message(8);
  message[0] = v4 ? 3 : 2;
  message[1] = v4 ? 4 : 0;
  store_be16(message.data() + 6, mtu);
  Packet quoted(v4 ? 20 : 40);
  quoted[0] = v4 ? 0x45 : 0x60;
  if (v4) store_be16(quoted.data() + 2, 1500);
  quoted[v4 ? 9 : 6] = 17;
  if (!v4) store_be16(quoted.data() + 4, 1460);
  std::ranges::copy(from.address.wire(), quoted.begin() + (v4 ? 12 : 8));
  std::ranges::copy(to.address.wire(), quoted.begin() + (v4 ? 16 : 24));
  message.insert(message.end(), quoted.begin(), quoted.end());
  Packet udp(8);
  store_be16(udp.data(), from.port);
  store_be16(udp.data() + 2, to.port);
  message.insert(message.end(), udp.begin(), udp.end());
  if (v4) store_be16(message.data() + 2, checksum_of(message));
  return message;
}

class Forger {
 public:
  explicit Forger(const Endpoint& victim)
      : victim_(victim),
        fd_(::socket(victim.address.is_v4() ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                     victim.address.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6})) {}
  void send(const Packet& message) const {
    const SocketName name =
        SocketName::of({.address = victim_.address, .port = 0}, !victim_.address.is_v4());
    ASSERT_EQ(::sendto(fd_.get(), message.data(), message.size(), 0, name.get(), name.size),
              static_cast<ssize_t>(message.size()))
        << std::strerror(errno);
  }

 private:
  Endpoint victim_;
  UniqueFd fd_;
};

class IcmpListenerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test::run("ip link set lo up mtu 1500");
    for (const char* address : {"192.0.2.101", "192.0.2.107", "2001:db8::101", "2001:db8::107"}) {
      test::add_loopback_address(ip(address));
    }
  }
  static void TearDownTestSuite() { test::run("ip link set lo mtu 65536"); }

  std::optional<IcmpHint> next(IcmpListener& listener) {
    pollfd waiting[] = {{.fd = listener.v4_fd(), .events = POLLIN, .revents = 0},
                        {.fd = listener.v6_fd(), .events = POLLIN, .revents = 0}};
    ::poll(waiting, 2, test::kPatienceMs);
    return listener.take();
  }
};

TEST_F(IcmpListenerTest, HearsWhatThePathIsSaidToCarry) {
  auto listener = IcmpListener::open();
  ASSERT_TRUE(listener) << listener.error().to_string();
  for (const auto& [own, peer] :
       {std::pair{"192.0.2.101", "192.0.2.107"}, std::pair{"2001:db8::101", "2001:db8::107"}}) {
    const Endpoint from{.address = ip(own), .port = 1194};
    const Endpoint to{.address = ip(peer), .port = 40'000};

    Forger(from).send(forged(from, to, 1400));

    const auto hint = next(*listener);
    ASSERT_TRUE(hint) << own;
    EXPECT_EQ(hint->from, from);
    EXPECT_EQ(hint->to, to);
    EXPECT_EQ(hint->mtu, 1400);
    EXPECT_FALSE(listener->take());
  }
}

// A hundred thousand of them. The kernel believes each, and our sockets none.
TEST_F(IcmpListenerTest, NoForgedMessageKeepsAFullDatagramFromItsPeer_C08) {
  auto group = open_udp_sockets({.port = 0}, 1);
  ASSERT_TRUE(group);
  const UdpSocket& socket = group->sockets.at(0);
  for (const char* own : {"192.0.2.101", "2001:db8::101"}) {
    const LinkClient client({ip(own), socket.local().port});
    client.send(Packet{1, 2, 3});
    const auto received = receive_on(socket);
    ASSERT_TRUE(received);
    const Endpoint from{.address = ip(own), .port = socket.local().port};
    const Forger forger(from);
    for (unsigned i = 0; i < 50'000; ++i) {
      forger.send(forged(from, received->from.remote, static_cast<std::uint16_t>(576 + i % 900)));
    }

    const Packet full(1500u - 8 - (ip(own).is_v4() ? 20 : 40), 7);
    EXPECT_EQ(socket.send(received->from, full), 0) << own;
    EXPECT_EQ(client.receive(), full);
  }
}

}  // namespace
}  // namespace ringway
