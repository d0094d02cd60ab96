#include "dataplane/link_receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

using Datagram = std::vector<std::uint8_t>;

/// Eight buffers, the fewest that there are, unless a test wants more.
class LinkReceiverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }

  void open(bool gro, std::size_t budget = 1) {
    auto group = open_udp_sockets({.port = 0, .gro = gro}, 1);
    ASSERT_TRUE(group);
    ASSERT_EQ(group->gro, gro);
    sockets_ = std::move(group->sockets);
    ASSERT_TRUE(ring_.open({}));
    receiver_ = std::make_unique<LinkReceiver>(
        LinkReceiver::Settings{.budget = budget, .datagram_size_max = 1500, .gro = gro}, sockets_,
        counters_);
    ASSERT_TRUE(receiver_->open(ring_));
    receiver_->arm(ring_);
    client_.emplace(Endpoint{test::ip("::1"), sockets_[0].local().port});
  }
  void TearDown() override {
    ring_.drain([this](const Completion& completion) {
      if (completion.tag.operation == Operation::LinkReceive) receiver_->reclaim(completion);
    });
    EXPECT_EQ(ring_.in_flight(), 0u);
  }

  /// Lets completions come in until `done`, or until none comes any more.
  template <typename Done>
  void turn_until(const Done& done) {
    for (int i = 0; i < 100 && !done(); ++i) {
      ASSERT_EQ(ring_.submit_and_wait(std::chrono::milliseconds(20)), 0);
      std::array<Completion, 64> some;
      const std::size_t count = ring_.collect(some);
      for (const Completion& completion : std::span(some).first(count)) {
        receiver_->note_received(completion);
      }
    }
  }
  LinkReceiver::Message take() {
    turn_until([this] { return !receiver_->is_empty(); });
    auto message = receiver_->take();
    RW_ASSERT(message.has_value());
    return *message;
  }
  /// The datagrams of the next message, whose buffer goes back.
  std::vector<Datagram> take_datagrams() {
    LinkReceiver::Message message = take();
    std::vector<Datagram> datagrams;
    while (message.datagrams.count_left() > 0) {
      const MutableBytes one = message.datagrams.take();
      datagrams.emplace_back(one.begin(), one.end());
    }
    receiver_->give_back(message.buffer);
    return datagrams;
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return counters_.snapshot().of(counter);
  }

  std::vector<UdpSocket> sockets_;
  Counters counters_;
  Ring ring_;
  std::unique_ptr<LinkReceiver> receiver_;
  std::optional<test::LinkClient> client_;
};

TEST_F(LinkReceiverTest, GivesDatagramsInOrderAndSaysWhoseTheyAre) {
  open(false);
  for (std::uint8_t i = 1; i <= 5; ++i) client_->send(Datagram(i, i));

  for (std::uint8_t i = 1; i <= 5; ++i) {
    LinkReceiver::Message message = take();
    EXPECT_EQ(message.arrival.from.remote, client_->local());
    EXPECT_EQ(message.arrival.from.local, test::ip("::1"));
    ASSERT_EQ(message.datagrams.count_left(), 1u);
    EXPECT_TRUE(std::ranges::equal(message.datagrams.take(), Datagram(i, i)));
    receiver_->give_back(message.buffer);
  }
  EXPECT_EQ(count(Counter::LinkReceivedPackets), 5u);
  EXPECT_EQ(count(Counter::LinkReceivedBytes), 15u);
  EXPECT_EQ(count(Counter::LinkReceivedTrains), 0u);
}

TEST_F(LinkReceiverTest, GivesATrainAsOneMessage) {
  open(true);
  std::vector<Datagram> train(20, Datagram(1000, 7));
  train.back().resize(300);

  client_->send_train(train);

  EXPECT_EQ(take_datagrams(), train);
  EXPECT_EQ(count(Counter::LinkReceivedPackets), 20u);
  EXPECT_EQ(count(Counter::LinkReceivedTrains), 1u);
}

TEST_F(LinkReceiverTest, DropsAndCountsWhatWasCutOff_E05) {
  open(false);
  client_->send(Datagram(1501, 1));
  client_->send(Datagram(1500, 2));

  EXPECT_EQ(take_datagrams(), std::vector<Datagram>{Datagram(1500, 2)});
  EXPECT_EQ(counters_.snapshot().of(Drop::Oversize), 1u);
}

TEST_F(LinkReceiverTest, WaitsWithoutBuffersAndLosesNothing_E03) {
  open(false);
  const std::size_t buffers = receiver_->count();
  for (std::uint8_t i = 0; i < 2 * buffers; ++i) client_->send(Datagram(1, i));
  turn_until([this] { return count(Counter::LinkReceiveStarved) > 0; });
  EXPECT_EQ(count(Counter::LinkReceiveStarved), 1u);
  receiver_->arm(ring_);
  EXPECT_EQ(count(Counter::LinkReceiveArmed), 1u);

  for (std::uint8_t i = 0; i < buffers; ++i) {
    EXPECT_EQ(take_datagrams(), std::vector<Datagram>{Datagram(1, i)});
  }
  receiver_->arm(ring_);

  EXPECT_EQ(count(Counter::LinkReceiveArmed), 2u);
  for (auto i = static_cast<std::uint8_t>(buffers); i < 2 * buffers; ++i) {
    EXPECT_EQ(take_datagrams(), std::vector<Datagram>{Datagram(1, i)});
  }
}

TEST_F(LinkReceiverTest, KeepsALentBufferFromTheKernelUntilItIsReleased_E01) {
  open(false);
  client_->send(Datagram(1, 1));
  const LinkReceiver::Message message = take();
  receiver_->lend(message.buffer);
  const std::size_t others = receiver_->count() - 1;
  for (std::uint8_t i = 0; i <= others; ++i) client_->send(Datagram(1, i));
  turn_until([this] { return count(Counter::LinkReceiveStarved) > 0; });

  for (std::uint8_t i = 0; i < others; ++i) {
    const LinkReceiver::Message other = take();
    EXPECT_NE(other.buffer, message.buffer);
  }
  receiver_->release(message.buffer);
  receiver_->arm(ring_);

  EXPECT_EQ(take().buffer, message.buffer);
}

}  // namespace
}  // namespace ringway
