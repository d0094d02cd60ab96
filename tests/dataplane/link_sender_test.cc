#include "dataplane/link_sender.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

using test::ip;
using test::LinkClient;

constexpr std::size_t kDatagramSize = 1400;

class LinkSenderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }

  void SetUp() override {
    auto group = open_udp_sockets({.port = 0, .send_buffer_size = 4096}, 1);
    ASSERT_TRUE(group);
    sockets_ = std::move(group->sockets);
    ASSERT_TRUE(ring_.open({}));
    sender_.emplace(
        LinkSender::Settings{.budget = 16 * kDatagramSize, .datagram_size_max = kDatagramSize},
        sockets_);
    client_.emplace(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
    to_ = {.remote = client_->local(), .local = ip("127.0.0.1")};
  }

  void send(std::uint8_t fill) {
    const MutableBytes room = sender_->room();
    ASSERT_GE(room.size(), kDatagramSize);
    std::ranges::fill(room.first(kDatagramSize), fill);
    sender_->send(to_, room.first(kDatagramSize));
  }
  void TearDown() override {
    while (ring_.in_flight() > 0) turn();
  }

  /// One turn; the results of the sends that have completed.
  std::vector<std::int32_t> turn() {
    sender_->submit(ring_);
    EXPECT_EQ(ring_.submit_and_wait(1s), 0);
    std::array<Completion, 64> completions;
    std::vector<std::int32_t> results;
    const std::size_t count = ring_.collect(completions);
    for (std::size_t i = 0; i < count; ++i) {
      if (completions[i].tag.operation == Operation::LinkWritable) {
        sender_->note_writable(completions[i].tag);
        continue;
      }
      sender_->note_sent(completions[i].tag);
      results.push_back(completions[i].result);
    }
    return results;
  }

  std::vector<UdpSocket> sockets_;
  Ring ring_;
  std::optional<LinkSender> sender_;
  std::optional<LinkClient> client_;
  LinkEndpoint to_;
};

TEST_F(LinkSenderTest, OffersTheSameRoomUntilItIsUsed) {
  const std::uint8_t* const first = sender_->room().data();

  EXPECT_EQ(sender_->room().data(), first);
  send(1);
  EXPECT_NE(sender_->room().data(), first);

  turn();
  EXPECT_EQ(ring_.in_flight(), 0u);
}

TEST_F(LinkSenderTest, HasNoRoomWhileEverythingIsOnItsWay_E01) {
  for (std::uint8_t i = 0; i < 16; ++i) send(i);
  EXPECT_TRUE(sender_->room().empty());

  for (std::size_t sent = 0; sent < 16;) sent += turn().size();

  EXPECT_FALSE(sender_->room().empty());
}

TEST_F(LinkSenderTest, WaitsForASlowLinkAndLosesAndReordersNothing) {
  test::run("tc qdisc add dev lo root tbf rate 2mbit burst 3000 limit 1000000");

  for (std::uint8_t i = 0; i < 16; ++i) send(i);
  std::vector<std::int32_t> results;
  int waits = 0;
  for (int turns = 0; turns < 100 && results.size() < 16; ++turns) {
    if (sender_->submit(ring_)) ++waits;
    const auto more = turn();
    results.insert(results.end(), more.begin(), more.end());
  }

  EXPECT_GT(waits, 0);
  EXPECT_EQ(results, std::vector<std::int32_t>(16, kDatagramSize));
  for (std::uint8_t i = 0; i < 16; ++i) {
    const auto datagram = client_->receive();
    ASSERT_TRUE(datagram.has_value());
    EXPECT_EQ(datagram->front(), i);
  }
  test::run("tc qdisc del dev lo root");
}

TEST_F(LinkSenderTest, ChargesNoLessThanTheKernelDoes) {
  auto group = open_udp_sockets({.port = 0, .send_buffer_size = 4 << 20}, 1);
  ASSERT_TRUE(group);
  const UdpSocket& socket = group->sockets[0];
  for (const char* mtu : {"1400", "9000", "65536"}) {
    test::run(std::string("ip link set lo mtu ") + mtu);
    // What is sent stays queued, and charged, for as long as the test runs.
    test::run("tc qdisc add dev lo root tbf rate 8bit burst 70000 limit 10000000");
    ASSERT_EQ(socket.send(to_, std::vector<std::uint8_t>(60000)), 0);
    ASSERT_EQ(socket.send(to_, std::vector<std::uint8_t>(60000)), 0);
    for (std::size_t size = 0; size < 10000; size += 125) {
      const std::uint32_t before = socket.unsent_size();
      ASSERT_EQ(socket.send(to_, std::vector<std::uint8_t>(size)), 0);
      const std::int64_t charged = std::int64_t{socket.unsent_size()} - before;
      EXPECT_GT(charged, 0);
      EXPECT_LE(charged, LinkSender::charge_of(size)) << size << " bytes, MTU " << mtu;
    }
    test::run("tc qdisc del dev lo root");
  }
}

}  // namespace
}  // namespace ringway
