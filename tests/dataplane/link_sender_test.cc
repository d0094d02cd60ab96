#include "dataplane/link_sender.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/dataplane/link_client.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::ip;
using test::LinkClient;

constexpr std::size_t kDatagramSize = 1400;
using Datagram = std::vector<std::uint8_t>;

/// A datagram that is told from every other by its first four bytes.
Datagram numbered(std::uint32_t number, std::size_t size) {
  Datagram datagram(std::max(size, sizeof number), static_cast<std::uint8_t>(number * 7));
  store_be32(datagram.data(), number);
  return datagram;
}

class LinkSenderTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }
  /// An MTU below 1,280 takes a device out of IPv6, and a larger one does not bring it back: the
  /// tests of other suites would find no ::1.
  static void TearDownTestSuite() {
    test::run("ip link set lo mtu 65536");
    test::run("ip link set lo down");
    test::run("ip link set lo up");
  }

  void SetUp() override {
    open({.budget = 16 * kDatagramSize, .datagram_size_max = kDatagramSize});
  }
  void TearDown() override {
    while (ring_.in_flight() > 0) turn();
  }

  void open(const LinkSender::Settings& settings, std::uint32_t send_buffer_size = 4096) {
    client_.reset();
    sender_.reset();
    auto group = open_udp_sockets({.port = 0, .send_buffer_size = send_buffer_size}, 1);
    ASSERT_TRUE(group);
    sockets_ = std::move(group->sockets);
    if (!ring_is_open_) {
      ASSERT_TRUE(ring_.open({}));
    }
    ring_is_open_ = true;
    sender_.emplace(settings, sockets_);
    client_.emplace(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
    to_ = {.remote = client_->local(), .local = ip("127.0.0.1")};
  }
  void open_with_gso(std::size_t segments_max = GsoBatch::kSegmentsMax,
                     std::uint32_t send_buffer_size = 1 << 20) {
    open({.budget = 16 * LinkSender::kTrainBufferSize,
          .datagram_size_max = 2048,
          .gso = true,
          .segments_max = segments_max},
         send_buffer_size);
  }

  [[nodiscard]] bool send(Bytes datagram) { return sender_->send(to_, datagram); }

  /// One turn; the sum of what became of the sends that have completed.
  LinkSender::Outcome turn() {
    sender_->submit(ring_);
    EXPECT_EQ(ring_.submit_and_wait(sender_->is_waiting() ? Duration{1ms} : Duration{1s}), 0);
    std::array<Completion, 512> completions;
    LinkSender::Outcome sum;
    const std::size_t count = ring_.collect(completions);
    for (std::size_t i = 0; i < count; ++i) {
      if (completions[i].tag.operation == Operation::LinkWritable) {
        sender_->note_writable(completions[i].tag);
        continue;
      }
      const LinkSender::Outcome one = sender_->note_sent(completions[i]);
      sum.datagram_count += one.datagram_count;
      sum.size += one.size;
      sum.failed_count += one.failed_count;
      sum.error = std::max(sum.error, one.error);
      trains_ += one.is_train ? 1 : 0;
      refused_ += one.is_refused ? 1 : 0;
    }
    done_ += sum.datagram_count + sum.failed_count;
    return sum;
  }
  /// Turns until `count` datagrams have been sent, or were lost.
  void finish(std::size_t count) {
    for (int turns = 0; turns < 1000 && done_ < count; ++turns) turn();
    EXPECT_EQ(done_, count);
  }
  void expect_received(const std::vector<Datagram>& datagrams) {
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const auto received = client_->receive();
      ASSERT_TRUE(received.has_value()) << i;
      ASSERT_EQ(*received, datagrams[i]) << i;
    }
    EXPECT_FALSE(client_->receive(0).has_value());
  }

  std::vector<UdpSocket> sockets_;
  Ring ring_;
  bool ring_is_open_ = false;
  std::optional<LinkSender> sender_;
  std::optional<LinkClient> client_;
  LinkEndpoint to_;
  std::size_t done_ = 0;
  std::size_t received_count_ = 0;
  std::size_t trains_ = 0;
  std::size_t refused_ = 0;
};

TEST_F(LinkSenderTest, ForgetsWhatWasReservedAndNotCommitted) {
  const MutableBytes first = sender_->reserve(to_, kDatagramSize);
  ASSERT_EQ(first.size(), kDatagramSize);

  EXPECT_EQ(sender_->reserve(to_, 100).data(), first.data());
  ASSERT_TRUE(send(numbered(1, 200)));

  finish(1);
  expect_received({numbered(1, 200)});
  EXPECT_EQ(ring_.in_flight(), 0u);
}

TEST_F(LinkSenderTest, HasNoRoomForADatagramLargerThanItsBuffers) {
  EXPECT_TRUE(sender_->reserve(to_, kDatagramSize + 1).empty());
  EXPECT_FALSE(sender_->reserve(to_, kDatagramSize).empty());
  open_with_gso();
  EXPECT_TRUE(sender_->reserve(to_, 2049).empty());
  EXPECT_FALSE(sender_->reserve(to_, 2048).empty());
}

TEST_F(LinkSenderTest, HasNoRoomWhileEverythingIsOnItsWay_E01) {
  for (std::uint32_t i = 0; i < 16; ++i) ASSERT_TRUE(send(numbered(i, kDatagramSize)));
  EXPECT_FALSE(sender_->has_room());
  EXPECT_FALSE(send(numbered(16, kDatagramSize)));

  finish(16);

  EXPECT_TRUE(sender_->has_room());
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
  for (int turns = 0; turns < 5000 && datagrams.size() < 500; ++turns) {
    while (datagrams.size() < 500 && sender_->is_ready(0)) {
      datagrams.push_back(numbered(static_cast<std::uint32_t>(datagrams.size()), 1000));
      ASSERT_TRUE(send(datagrams.back()));
    }
    if (datagrams.size() < 500) ++refusals;
    turn();
    while (const auto datagram = client_->receive(0)) {
      ASSERT_EQ(*datagram, numbered(static_cast<std::uint32_t>(received_count_++), 1000));
    }
  }
  finish(500);
  while (const auto datagram = client_->receive(received_count_ < 500 ? test::kPatienceMs : 0)) {
    ASSERT_EQ(*datagram, numbered(static_cast<std::uint32_t>(received_count_++), 1000));
  }

  EXPECT_EQ(received_count_, 500u);
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

TEST_F(LinkSenderTest, SendsEqualDatagramsForOneEndpointInOneSend) {
  open_with_gso();
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 40; ++i) datagrams.push_back(numbered(i, 1400));
  datagrams.push_back(numbered(40, 700));

  for (const Datagram& datagram : datagrams) ASSERT_TRUE(send(datagram));
  const auto outcome = turn();

  EXPECT_EQ(outcome.datagram_count, 41u);
  EXPECT_EQ(outcome.size, 40 * 1400 + 700u);
  EXPECT_EQ(trains_, 1u);
  expect_received(datagrams);
}

TEST_F(LinkSenderTest, SplitsWhatIsTooMuchForOneSend) {
  for (const std::size_t segments_max : {GsoBatch::kSegmentsMax, std::size_t{128}}) {
    open_with_gso(segments_max);
    trains_ = done_ = 0;
    std::vector<Datagram> datagrams;
    for (std::uint32_t i = 0; i < 300; ++i) datagrams.push_back(numbered(i, 100));

    for (const Datagram& datagram : datagrams) ASSERT_TRUE(send(datagram));
    finish(300);

    EXPECT_EQ(trains_, (300 + segments_max - 1) / segments_max);
    EXPECT_EQ(refused_, 0u);
    expect_received(datagrams);
  }
}

TEST_F(LinkSenderTest, KeepsOrderAndBytesOfDatagramsOfAnySize) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    open_with_gso();
    done_ = 0;
    std::vector<Datagram> datagrams;
    std::size_t size = 1000;
    for (std::uint32_t i = 0; i < 100; ++i) {
      if (random.happens(0.2)) size = 4 + random.next() % 2000;
      Datagram datagram = numbered(i, size);
      if (!send(datagram)) break;
      datagrams.push_back(std::move(datagram));
    }

    finish(datagrams.size());

    expect_received(datagrams);
  }
}

TEST_F(LinkSenderTest, KeepsTheDatagramsOfTwoClientsApart) {
  open_with_gso();
  const LinkClient other({ip("127.0.0.1"), sockets_[0].local().port});
  const LinkEndpoint to_other{.remote = other.local(), .local = ip("127.0.0.1")};
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 12; ++i) {
    if (i % 3 == 2) {
      ASSERT_TRUE(sender_->send(to_other, numbered(100 + i, 500)));
    } else {
      datagrams.push_back(numbered(i, 500));
      ASSERT_TRUE(send(datagrams.back()));
    }
  }

  finish(12);

  expect_received(datagrams);
  for (std::uint32_t i = 2; i < 12; i += 3) EXPECT_EQ(other.receive(), numbered(100 + i, 500));
  EXPECT_EQ(trains_, 4u);
}

TEST_F(LinkSenderTest, SendsEachDatagramAloneWithoutGso) {
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1000)));

  finish(10);

  EXPECT_EQ(trains_, 0u);
}

// The kernel does not fragment the datagrams of a train, but it does fragment single ones.
TEST_F(LinkSenderTest, SendsARefusedTrainDatagramByDatagramAndInOrder_E08) {
  open_with_gso();
  test::run("ip link set lo mtu 1400");
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 40; ++i) datagrams.push_back(numbered(i, 1450));
  datagrams.push_back(numbered(40, 1000));

  for (const Datagram& datagram : datagrams) ASSERT_TRUE(send(datagram));
  finish(41);
  EXPECT_EQ(refused_, 1u);
  expect_received(datagrams);

  // From now on such datagrams go alone at once, and smaller ones in trains.
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1450)));
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1000)));
  trains_ = 0;
  finish(61);
  EXPECT_EQ(refused_, 1u);
  EXPECT_EQ(trains_, 1u);
  test::run("ip link set lo mtu 65536");
}

// As where a device cannot take trains at all: even such small datagrams do not go.
TEST_F(LinkSenderTest, GivesGsoUpForAWhileWhereItIsRefusedToEverybody_E08) {
  open_with_gso();
  test::run("ip link set lo mtu 1200");
  const auto send_two = [this](unsigned i) {
    to_.remote.address = IpAddress::v4(0x7f00'0100 + i);
    ASSERT_TRUE(send(numbered(2 * i, 1200)));
    ASSERT_TRUE(send(numbered(2 * i + 1, 1200)));
    finish(2 * i + 2);
  };

  constexpr unsigned kMore = LinkSender::kRefusalsMax + 5;
  for (unsigned i = 0; i < kMore; ++i) send_two(i);
  EXPECT_EQ(refused_, LinkSender::kRefusalsMax);

  test::run("ip link set lo mtu 65536");
  // It has lost ::1, as an MTU below 1,280 is none of IPv6.
  test::run("ip link set lo down");
  test::run("ip link set lo up");
  sender_->forget_refusals();
  trains_ = 0;
  send_two(kMore);
  EXPECT_EQ(trains_, 1u);
}

// Whoever is sent datagrams that are too large for the route is sent them singly; trains of others
// go on, whatever sizes somebody makes up.
TEST_F(LinkSenderTest, KeepsGsoHoweverManyTrainsAreTooLargeForTheRoute_E08) {
  open_with_gso();
  test::run("ip link set lo mtu 1400");

  constexpr unsigned kTrains = 2 * LinkSender::kRefusalsMax;
  for (unsigned i = 0; i < kTrains; ++i) {
    ASSERT_TRUE(send(numbered(2 * i, 1450 - i)));
    ASSERT_TRUE(send(numbered(2 * i + 1, 1450 - i)));
    finish(2 * i + 2);
  }
  EXPECT_EQ(refused_, kTrains);
  trains_ = 0;
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1000)));
  finish(2 * kTrains + 10);

  EXPECT_EQ(trains_, 1u);
  test::run("ip link set lo mtu 65536");
}

TEST_F(LinkSenderTest, CountsEveryDatagramOfATrainThatCannotBeSent_E07) {
  open_with_gso();
  to_.remote = {ip("203.0.113.1"), 1194};
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 100)));

  const auto outcome = turn();

  EXPECT_EQ(outcome.failed_count, 10u);
  EXPECT_GT(outcome.error, 0);
  EXPECT_TRUE(sender_->is_ready(0));
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
