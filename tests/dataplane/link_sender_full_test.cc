#include <gtest/gtest.h>

#include "tests/dataplane/link_sender_rig.h"

// What a LinkSender does when its buffers, or the socket, are full.
namespace ringway {
namespace {

using test::Datagram;
using test::LinkSenderTest;
using test::numbered;

TEST_F(LinkSenderTest, HasNoRoomWhileEverythingIsOnItsWay_E01) {
  for (std::uint32_t i = 0; i < 16; ++i) ASSERT_TRUE(send(numbered(i, kDatagramSize)));
  EXPECT_FALSE(sender_->has_room());
  EXPECT_FALSE(send(numbered(16, kDatagramSize)));

  finish(16);

  EXPECT_TRUE(sender_->has_room());
}

TEST_F(LinkSenderTest, LeavesAQuarterOfItsBuffersToWhatIsNotSmallAndRare) {
  for (std::uint32_t i = 0; i < 12; ++i) ASSERT_TRUE(send(numbered(i, kDatagramSize)));

  EXPECT_FALSE(sender_->has_room());
  EXPECT_TRUE(send(numbered(12, kDatagramSize)));

  finish(13);
}

TEST_F(LinkSenderTest, WaitsForASlowLinkAndLosesAndReordersNothing) {
  test::run("tc qdisc add dev lo root tbf rate 2mbit burst 3000 limit 1000000");

  std::vector<Datagram> datagrams;
  int waits = 0;
  for (std::uint32_t i = 0; i < 16; ++i) {
    datagrams.push_back(numbered(i, kDatagramSize));
    ASSERT_TRUE(send(datagrams.back()));
  }
  for (int turns = 0; turns < 1000 && done_ < 16; ++turns) {
    if (sender_->submit(ring_)) ++waits;
    turn();
  }

  EXPECT_GT(waits, 0);
  expect_received(datagrams);
  test::run("tc qdisc del dev lo root");
}

TEST_F(LinkSenderTest, IsNotReadyWhileTheSocketIsFullAndLosesNothing_R16) {
  open_with_gso(GsoBatch::kSegmentsMax, 32'768);
  test::run("tc qdisc add dev lo root tbf rate 50mbit burst 70000 limit 10000000");

  std::vector<Datagram> datagrams;
  std::size_t refusals = 0;
  std::size_t received_count = 0;
  for (int turns = 0; turns < 5000 && datagrams.size() < 500; ++turns) {
    while (datagrams.size() < 500 && sender_->is_ready(0)) {
      datagrams.push_back(numbered(static_cast<std::uint32_t>(datagrams.size()), 1000));
      ASSERT_TRUE(send(datagrams.back()));
    }
    if (datagrams.size() < 500) ++refusals;
    turn();
    while (const auto datagram = client_->receive(0)) {
      ASSERT_EQ(*datagram, numbered(static_cast<std::uint32_t>(received_count++), 1000));
    }
  }
  finish(500);
  while (const auto datagram = client_->receive(received_count < 500 ? test::kPatienceMs : 0)) {
    ASSERT_EQ(*datagram, numbered(static_cast<std::uint32_t>(received_count++), 1000));
  }

  EXPECT_EQ(received_count, 500u);
  EXPECT_GT(refusals, 0u);
  test::run("tc qdisc del dev lo root");
}

// The control thread sends on the same sockets, and has nowhere to wait: without room, clients
// could neither connect nor get new keys while the link is busy.
TEST_F(LinkSenderTest, LeavesRoomInAFullSocketForWhatAnotherThreadSends) {
  open_with_gso(GsoBatch::kSegmentsMax, 512 << 10);
  test::run("tc qdisc add dev lo root tbf rate 200mbit burst 70000 limit 10000000");

  std::uint32_t count = 0;
  std::size_t full_turns = 0;
  std::size_t others_lost = 0;
  for (int turns = 0; turns < 5000 && full_turns < 100; ++turns) {
    while (sender_->is_ready(0)) ASSERT_TRUE(send(numbered(count++, 1000)));
    turn();
    if (!sender_->is_waiting()) continue;
    ++full_turns;
    if (sockets_[0].send(to_, numbered(0, 1200)) != 0) ++others_lost;
  }
  finish(count);

  EXPECT_EQ(full_turns, 100u);
  EXPECT_EQ(others_lost, 0u);
  test::run("tc qdisc del dev lo root");
}

// What waited was dropped in the meantime, so that nobody asks is_ready() any more.
TEST_F(LinkSenderTest, StopsWaitingWhenTheSocketHasRoomAndNothingIsToBeSent_R16) {
  open_with_gso(GsoBatch::kSegmentsMax, 32'768);
  test::run("tc qdisc add dev lo root tbf rate 50mbit burst 70000 limit 10000000");
  std::uint32_t count = 0;
  for (int turns = 0; turns < 1000 && !sender_->is_waiting(); ++turns) {
    while (sender_->is_ready(0)) ASSERT_TRUE(send(numbered(count++, 1000)));
    turn();
  }
  ASSERT_TRUE(sender_->is_waiting());
  finish(count);

  int turns = 0;
  while (sender_->is_waiting() && turns < 10'000) {
    turn();
    ++turns;
  }

  EXPECT_FALSE(sender_->is_waiting());
  EXPECT_LT(turns, 1000);
  EXPECT_EQ(ring_.in_flight(), 0u);
  test::run("tc qdisc del dev lo root");
}

TEST_F(LinkSenderTest, GivesUpWhatTheSocketRefusesAgainAndAgain_E07) {
  ASSERT_TRUE(send(numbered(1, 1000)));
  for (unsigned i = 0; i < LinkSender::kAttemptsMax; ++i) {
    EXPECT_EQ(turn(-EAGAIN).failed_count, 0u);
  }

  const auto outcome = turn(-EAGAIN);

  EXPECT_EQ(outcome.failed_count, 1u);
  EXPECT_EQ(outcome.error, EAGAIN);
  EXPECT_TRUE(sender_->is_ready(0));
}

TEST_F(LinkSenderTest, TakesAsMuchAsBeforeAfterSendsThatWereTriedAgain_R16) {
  open_with_gso(GsoBatch::kSegmentsMax, 128 << 10);
  const auto fill = [this] {
    std::uint32_t count = 0;
    while (sender_->is_ready(0)) EXPECT_TRUE(send(numbered(count++, 1000)));
    return count;
  };
  const std::uint32_t before = fill();
  ASSERT_GT(before, 10u);
  for (int i = 0; i < 5; ++i) turn(-EAGAIN);
  finish(before);

  EXPECT_EQ(fill(), before);

  // Refused trains go singly, and are charged no longer than that.
  turn(-EINVAL);
  finish(2 * before);
  sender_->forget_refusals();
  EXPECT_EQ(fill(), before);
  finish(3 * before);
}

TEST_F(LinkSenderTest, ChargesNoLessThanTheKernelDoes) {
  auto group = open_udp_sockets({.port = 0, .send_buffer_size = 4 << 20}, 1);
  ASSERT_TRUE(group);
  const UdpSocket& socket = group->sockets[0];
  for (const std::size_t mtu : {1400u, 9000u, 65'536u}) {
    test::run("ip link set lo mtu " + std::to_string(mtu));
    // Nothing is fragmented.
    const std::size_t most = std::min<std::size_t>(mtu - 28, 60'000);
    // What is sent stays queued, and charged, for as long as the test runs.
    test::run("tc qdisc add dev lo root tbf rate 8bit burst 70000 limit 10000000");
    for (std::size_t sent = 0; sent < 120'000; sent += most) {
      ASSERT_EQ(socket.send(to_, std::vector<std::uint8_t>(most)), 0);
    }
    for (std::size_t size = 0; size < std::min<std::size_t>(most, 10'000); size += 125) {
      const std::uint32_t before = socket.unsent_size();
      ASSERT_EQ(socket.send(to_, std::vector<std::uint8_t>(size)), 0);
      const std::int64_t charged = std::int64_t{socket.unsent_size()} - before;
      EXPECT_GT(charged, 0);
      EXPECT_LE(charged, LinkSender::charge_of(size)) << size << " bytes, MTU " << mtu;
    }
    for (const std::uint16_t size :
         std::initializer_list<std::uint16_t>{1, 64, 100, 500, 1000, 1300}) {
      for (std::size_t count = 2; count <= 64 && size * count < 60'000; count += 7) {
        const Datagram bytes(size * count);
        OutgoingMessage message;
        message.prepare(to_, true, bytes, size);
        const std::uint32_t before = socket.unsent_size();
        ASSERT_GT(::sendmsg(socket.fd(), &message.header(), MSG_DONTWAIT), 0);
        const std::int64_t charged = std::int64_t{socket.unsent_size()} - before;
        EXPECT_GT(charged, 0);
        EXPECT_LE(charged, LinkSender::charge_of_train(bytes.size())) << size << " x " << count;
      }
    }
    test::run("tc qdisc del dev lo root");
  }
}

}  // namespace
}  // namespace ringway
