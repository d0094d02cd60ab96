#include <gtest/gtest.h>

#include "control/control_plane.h"
#include "tests/control/plane_fixture.h"

/// Clients over TCP: where their sessions are, and what ends their connections.
namespace ringway::test {
namespace {

class PlaneConnectionTest : public PlaneTest {
 protected:
  static LinkEndpoint over_tcp(std::uint32_t number, std::uint32_t generation = 1,
                               std::uint16_t port = 1000) {
    LinkEndpoint endpoint = at(port);
    endpoint.connection = {.number = number, .generation = generation};
    return endpoint;
  }
  /// Control packets carry an HMAC; both ends have the same key, without a direction.
  void protect() {
    wrap_ = TlsWrap(
        TlsAuth(StaticKey::from_bytes(std::vector<std::uint8_t>(256, 7)), {}, Digest::Sha256));
  }
  /// What the client says when it renegotiates, changed on the way.
  std::vector<std::uint8_t> damaged_packet(PlaneClient& client) {
    std::array<std::uint8_t, ControlChannel::kDatagramSizeMax> scratch;
    client.channel.renegotiate(now_);
    const auto datagram = client.channel.poll_transmit(scratch, now_);
    EXPECT_TRUE(datagram);
    std::vector<std::uint8_t> damaged(datagram->begin(), datagram->end());
    damaged.back() ^= 1;
    return damaged;
  }
  [[nodiscard]] std::vector<ConnectionId> ended() const {
    std::vector<ConnectionId> ids;
    for (const LinkEndpoint& endpoint : ended_connections_) ids.push_back(endpoint.connection);
    return ids;
  }
};

TEST_F(PlaneConnectionTest, GivesTheSessionToTheWorkerOfTheConnection) {
  start(3);
  const PlaneClient& client = connect(over_tcp(5), *client1_);

  ASSERT_TRUE(client.push.has_value());
  ASSERT_EQ(commands<AddSession>().size(), 1u);
  const AddSession& added = *commands<AddSession>()[0];
  EXPECT_EQ(owner_of(added.peer_id, 3), WorkerId{2});
  EXPECT_EQ(added.endpoint, over_tcp(5));
  EXPECT_EQ(added.settings.path, PathKind::Stream);
  EXPECT_TRUE(ended().empty());
}

TEST_F(PlaneConnectionTest, TellsAClientOverTcpFromOneOverUdpAtTheSamePort) {
  config_.duplicate_cn = true;
  start();
  const PlaneClient& udp = connect(at(1000), *client1_);
  const PlaneClient& tcp = connect(over_tcp(0), *client2_);

  EXPECT_TRUE(udp.push && tcp.push);
  EXPECT_EQ(plane_->clients().size(), 2u);
}

TEST_F(PlaneConnectionTest, RemovesTheClientWhenItsConnectionHasEnded) {
  start();
  connect(over_tcp(0), *client1_);
  const std::size_t before = commands_.size();

  plane_->handle_connection_ended(over_tcp(0, 2), now_);
  EXPECT_EQ(plane_->clients().size(), 1u) << "a later connection is not this one";
  plane_->handle_connection_ended(over_tcp(0), now_);
  settle();

  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(command_text(before), "unroute unroute remove");
}

TEST_F(PlaneConnectionTest, RemovesAHalfOpenClientWithItsConnection) {
  start();
  PlaneClient& client = add_client(over_tcp(0), *client1_);
  while (plane_->half_open_count() == 0) ASSERT_TRUE(from_client(client) || from_plane());

  plane_->handle_connection_ended(over_tcp(0), now_);

  EXPECT_EQ(plane_->half_open_count(), 0u);
}

TEST_F(PlaneConnectionTest, EndsTheConnectionOfAClientThatIsReplaced) {
  start();
  connect(over_tcp(0), *client1_);
  connect(over_tcp(1), *client1_);

  EXPECT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(ended(), (std::vector<ConnectionId>{{0, 1}}));
}

TEST_F(PlaneConnectionTest, EndsAConnectionThatBeginsWithNoHandshake) {
  start();
  std::vector<std::uint8_t> garbage(100, 0x38);
  garbage[0] = 0x20;
  plane_->handle_datagram(garbage, over_tcp(0), now_);
  settle();
  EXPECT_EQ(ended(), (std::vector<ConnectionId>{{0, 1}}));

  plane_->handle_datagram(garbage, at(1000), now_);
  settle();
  EXPECT_EQ(ended().size(), 1u) << "UDP has none";
}

TEST_F(PlaneConnectionTest, IgnoresASecondHandshakeOnAConnection) {
  start();
  connect(over_tcp(0), *client1_);
  PlaneClient& second = add_client(over_tcp(0), *client2_);
  for (int i = 0; i < 5; ++i) {
    from_client(second);
    take_commands();
  }

  EXPECT_EQ(plane_->clients().size(), 1u);
  EXPECT_EQ(plane_->half_open_count(), 0u);
  EXPECT_GT(dropped(Drop::ForeignSession), 0u);
}

TEST_F(PlaneConnectionTest, EndsTheConnectionOnAControlPacketThatDoesNotAuthenticate) {
  protect();
  start();
  PlaneClient& client = connect(over_tcp(0), *client1_);
  ASSERT_TRUE(client.push.has_value());

  plane_->handle_datagram(damaged_packet(client), client.endpoint, now_);
  from_plane();

  EXPECT_EQ(dropped(Drop::BadWrap), 1u);
  EXPECT_TRUE(plane_->clients().empty());
  EXPECT_EQ(ended(), (std::vector<ConnectionId>{{0, 1}}));
  EXPECT_NE(log_.find("a packet over TCP did not authenticate"), std::string::npos);
}

TEST_F(PlaneConnectionTest, LeavesAClientAloneWhoseDatagramDoesNotAuthenticate) {
  protect();
  start();
  PlaneClient& client = connect(at(1000), *client1_);
  ASSERT_TRUE(client.push.has_value());

  plane_->handle_datagram(damaged_packet(client), client.endpoint, now_);
  from_plane();

  EXPECT_EQ(dropped(Drop::BadWrap), 1u);
  EXPECT_EQ(plane_->clients().size(), 1u);
}

TEST_F(PlaneConnectionTest, AnswersOverTcpWhenTheRepliesToDatagramsAreUsedUp) {
  config_.connect_freq_initial = {.count = 1, .period = 60s};
  start();
  connect(at(1), *client1_);
  PlaneClient& refused = connect(at(2), *client2_);
  EXPECT_FALSE(refused.push.has_value());

  const PlaneClient& client = connect(over_tcp(0), *client2_);

  EXPECT_TRUE(client.push.has_value());
}

}  // namespace
}  // namespace ringway::test
