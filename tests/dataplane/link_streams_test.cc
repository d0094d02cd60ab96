#include "dataplane/link_streams.h"

#include <gtest/gtest.h>

#include "tests/dataplane/link_streams_rig.h"

namespace ringway {
namespace {

using test::client_reset;
using test::ip;
using test::kMax;
using test::Packet;
using test::StreamClient;
using LinkStreamsTest = test::LinkStreamsTest;

TEST_F(LinkStreamsTest, NamesTheConnectionSoThatItsWorkerIsKnown) {
  start();
  const auto client = greet("127.0.0.1");

  EXPECT_EQ(received_.front(), client_reset());
  const LinkEndpoint& from = from_.front();
  EXPECT_TRUE(from.is_tcp());
  EXPECT_EQ(owner_of(from.connection, 3), WorkerId{1});
  EXPECT_EQ(from.listener, 2);
  EXPECT_EQ(from.remote.address, ip("127.0.0.1"));
  EXPECT_EQ(from.local, ip("127.0.0.1"));
}

// Connections of two workers may have one place and generation.
TEST_F(LinkStreamsTest, KnowsNoConnectionOfAnotherWorker) {
  start();
  const auto client = greet("127.0.0.1");
  const ConnectionId own = from_.front().connection;
  for (const std::uint32_t worker : {0u, 2u}) {
    const ConnectionId other{.number = own.number / 3 * 3 + worker, .generation = own.generation};
    EXPECT_FALSE(streams_->send(other, Packet(9, 1)));
    streams_->fail(other);
  }
  EXPECT_TRUE(streams_->send(own, Packet(9, 1)));
}

TEST_F(LinkStreamsTest, TakesDatagramsWhereverTheStreamIsSplit) {
  start();
  const auto client = greet();
  const Packet large(kMax, 7);
  Packet stream(kFrameHeaderSize);
  write_frame_header(stream, large.size());
  stream.insert(stream.end(), large.begin(), large.end());
  received_.clear();

  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, stream.size() - 1}) {
    client->write(Bytes(stream).first(cut));
    turn(50ms);
    client->write(Bytes(stream).subspan(cut));
    ASSERT_TRUE(until([this] { return !received_.empty(); })) << cut;
    EXPECT_EQ(received_.back(), large);
    received_.clear();
  }
}

TEST_F(LinkStreamsTest, SendsManyDatagramsInOrder) {
  start();
  const auto client = greet();
  std::size_t sent = 0;
  std::size_t seen = 0;
  while (seen < 500) {
    while (sent < 500 && streams_->send(from_[0].connection, Packet(1000, std::uint8_t(sent)))) {
      ++sent;
    }
    turn(1ms);
    while (const auto datagram = client->receive(0)) {
      ASSERT_EQ(*datagram, Packet(1000, std::uint8_t(seen)));
      ++seen;
    }
  }
}

TEST_F(LinkStreamsTest, HasNoRoomForAClientThatDoesNotReadAndRoomForAnother) {
  start();
  const auto slow = greet("::1", 4096);
  const auto other = greet();
  const ConnectionId slow_one = from_[0].connection;
  std::size_t sent = 0;
  for (int turns = 0; turns < 2000 && streams_->is_ready(slow_one); ++turns) {
    while (streams_->send(slow_one, Packet(kMax, 1))) ++sent;
    turn(1ms);
    turn(1ms);
  }
  EXPECT_FALSE(streams_->is_ready(slow_one));
  EXPECT_TRUE(streams_->reserve(slow_one, kMax).empty());

  EXPECT_TRUE(streams_->send(from_[1].connection, Packet(9, 9)));
  EXPECT_TRUE(until([&] { return other->receive(0).has_value(); }));

  // It goes on, with nothing lost, when it reads again.
  std::size_t seen = 0;
  EXPECT_TRUE(until([&] {
    while (const auto datagram = slow->receive(0)) {
      EXPECT_EQ(*datagram, Packet(kMax, 1));
      ++seen;
    }
    return seen == sent;
  }));
  EXPECT_TRUE(streams_->is_ready(slow_one));
}

TEST_F(LinkStreamsTest, ReceivesNoMoreFromAConnectionThatIsNotServed) {
  start();
  const auto client = greet();
  takes_ = false;
  const Packet block(1 << 20, 0);
  std::size_t written = 0;
  for (int idle = 0; idle < 50;) {
    const ssize_t size = ::send(client->fd(), block.data(), block.size(), MSG_DONTWAIT);
    written += size > 0 ? static_cast<std::size_t>(size) : 0;
    idle = size > 0 ? 0 : idle + 1;
    turn(1ms);
  }
  EXPECT_LT(written, 64u << 20);
  EXPECT_EQ(count(Counter::LinkReceivedPackets), 1u);
}

TEST_F(LinkStreamsTest, ReportsAClosedConnectionOnceAndSendsNothingToTheNextInItsPlace) {
  start();
  auto client = greet();
  const ConnectionId first = from_[0].connection;
  client.reset();
  ASSERT_TRUE(until([this] { return ended_.size() == 1; }));
  EXPECT_EQ(ended_[0], from_[0]);
  EXPECT_EQ(streams_->count(), 0u);
  turn();

  const auto next = greet();
  const ConnectionId second = from_[1].connection;

  EXPECT_EQ(second.number, first.number);
  EXPECT_NE(second, first);
  EXPECT_FALSE(streams_->send(first, Packet(9, 1)));
  streams_->fail(first);
  EXPECT_TRUE(streams_->send(second, Packet(9, 2)));
  EXPECT_TRUE(until([&] {
    const auto datagram = next->receive(0);
    return datagram && *datagram == Packet(9, 2);
  }));
  EXPECT_EQ(ended_.size(), 1u);
}

TEST_F(LinkStreamsTest, TakesNothingToWaitForWhereThereIsNoConnection) {
  start();
  const ConnectionId nobody{.number = 1, .generation = 9};
  EXPECT_TRUE(streams_->is_ready(nobody));
  EXPECT_EQ(streams_->reserve(nobody, 100).size(), 100u);
  streams_->commit();
  EXPECT_EQ(count(Counter::LinkSentPackets), 0u);
}

TEST_F(LinkStreamsTest, TakesItsOwnConnectionForProven) {
  start();
  auto group = open_tcp_listeners({.port = 0}, 1);
  StreamClient peer({ip("::1"), group->listeners[0].local().port});
  auto socket =
      TcpSocket::adopt(UniqueFd(::accept4(group->listeners[0].fd(), nullptr, nullptr, 0)));
  ASSERT_TRUE(socket.has_value());

  const auto endpoint = streams_->add(std::move(*socket), now_);

  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(streams_->half_open_count(), 0u);
  peer.send(Packet(5, 5));
  EXPECT_TRUE(until([this] { return !received_.empty(); }));
  EXPECT_TRUE(streams_->send(endpoint->connection, Packet(6, 6)));
  EXPECT_TRUE(until([&] { return peer.receive(0).has_value(); }));
}

TEST_F(LinkStreamsTest, ShutsDownWithEverythingInFlight_E01) {
  start();
  const auto client = greet("::1", 4096);
  for (int i = 0; i < 40; ++i) {
    while (streams_->send(from_[0].connection, Packet(kMax, 1))) continue;
    turn(1ms);
  }
  StreamClient other(server());
  takes_ = false;
  client->send(Packet(9, 9));
  turn(10ms);
  // TearDown() takes the ring apart: it must not find memory that the kernel still has.
}

TEST(Greeting, IsAResetOfAClient) {
  EXPECT_TRUE(is_greeting(client_reset()));
  Packet other_key = client_reset();
  other_key[0] |= 1;
  EXPECT_FALSE(is_greeting(other_key));
  Packet of_a_server = client_reset();
  of_a_server[0] = first_byte(Opcode::HardResetServerV2, {0});
  EXPECT_FALSE(is_greeting(of_a_server));
  Packet third = client_reset();
  third[0] = first_byte(Opcode::HardResetClientV3, {0});
  EXPECT_TRUE(is_greeting(third));
  EXPECT_FALSE(is_greeting(Bytes(client_reset()).first(13)));
}

}  // namespace
}  // namespace ringway
