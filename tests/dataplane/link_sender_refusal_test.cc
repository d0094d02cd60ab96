#include <gtest/gtest.h>

#include "tests/dataplane/link_sender_rig.h"

// What a LinkSender does about trains that the kernel does not take.
namespace ringway {
namespace {

using test::Datagram;
using test::ip;
using test::LinkClient;
using test::LinkSenderTest;
using test::numbered;

TEST_F(LinkSenderTest, SendsARefusedTrainDatagramByDatagramAndInOrder_E08) {
  open_with_gso();
  forbid_trains();
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 40; ++i) datagrams.push_back(numbered(i, 1450));
  datagrams.push_back(numbered(40, 1000));

  for (const Datagram& datagram : datagrams) ASSERT_TRUE(send(datagram));
  finish(41);
  EXPECT_EQ(refused_, 1u);
  expect_received(datagrams);

  // From now on such datagrams go alone at once, and smaller ones in trains.
  forbid_trains(false);
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1450)));
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1000)));
  trains_ = 0;
  finish(61);
  EXPECT_EQ(refused_, 1u);
  EXPECT_EQ(trains_, 1u);
}

// Nothing is fragmented: each datagram that does not fit is lost, and whose path it was is told.
TEST_F(LinkSenderTest, SaysOfWhichSizeTheKernelTakesNone_E08) {
  open_with_gso();
  test::run("ip link set lo mtu 1400");
  for (std::uint32_t i = 0; i < 3; ++i) ASSERT_TRUE(send(numbered(i, 1373)));
  ASSERT_TRUE(send(numbered(3, 1372)));
  finish(4);

  EXPECT_EQ(refused_, 1u);
  ASSERT_EQ(too_big_.size(), 3u);
  EXPECT_EQ(too_big_[0].first, to_);
  EXPECT_EQ(too_big_[0].second, 1373u);
  expect_received({numbered(3, 1372)});
  test::run("ip link set lo mtu 65536");
}

TEST_F(LinkSenderTest, SendsAProbeBesideATrainAndNotInIt) {
  open_with_gso();
  test::run("ip link set lo mtu 1400");
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 10; ++i) datagrams.push_back(numbered(i, 1000));
  for (std::uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(send(datagrams[i]));
  ASSERT_TRUE(sender_->send_alone(to_, numbered(99, 1450)));
  for (std::uint32_t i = 5; i < 10; ++i) ASSERT_TRUE(send(datagrams[i]));
  finish(11);

  EXPECT_EQ(trains_, 2u);
  EXPECT_EQ(refused_, 0u);
  ASSERT_EQ(too_big_.size(), 1u);
  expect_received(datagrams);
  test::run("ip link set lo mtu 65536");
}

// As where a device cannot take trains at all: even such small datagrams do not go.
TEST_F(LinkSenderTest, GivesGsoUpForAWhileWhereItIsRefusedToEverybody_E08) {
  open_with_gso();
  forbid_trains();
  const auto send_two = [this](unsigned i) {
    to_.remote.address = IpAddress::v4(0x7f00'0100 + i);
    ASSERT_TRUE(send(numbered(3 * i, 1200)));
    ASSERT_TRUE(send(numbered(3 * i + 1, 1200)));
    // That single ones are taken says nothing about trains.
    ASSERT_TRUE(send(numbered(3 * i + 2, 1300)));
    finish(3 * i + 3);
  };

  constexpr unsigned kMore = LinkSender::kRefusalsMax + 5;
  for (unsigned i = 0; i < kMore; ++i) send_two(i);
  EXPECT_EQ(refused_, LinkSender::kRefusalsMax);

  forbid_trains(false);
  sender_->forget_refusals();
  trains_ = 0;
  send_two(kMore);
  EXPECT_EQ(trains_, 1u);
}

// The datagrams of one refused train at a time are on their way: the other socket's wait.
TEST_F(LinkSenderTest, SendsRefusedTrainsOfTwoSocketsOneAfterTheOther_E08) {
  open_with_gso();
  auto second = open_udp_sockets({.port = 0}, 1);
  ASSERT_TRUE(second);
  sockets_.push_back(std::move(second->sockets[0]));
  sender_.emplace(
      LinkSender::Settings{
          .budget = 16 * LinkSender::kTrainBufferSize, .datagram_size_max = 2048, .gso = true},
      sockets_);
  const LinkClient other({ip("127.0.0.1"), sockets_[1].local().port});
  const LinkEndpoint to_other{.remote = other.local(), .local = ip("127.0.0.1"), .listener = 1};
  forbid_trains();
  std::vector<Datagram> datagrams;
  for (std::uint32_t i = 0; i < 10; ++i) {
    datagrams.push_back(numbered(i, 1450));
    ASSERT_TRUE(send(datagrams.back()));
  }
  for (const Datagram& datagram : datagrams) ASSERT_TRUE(sender_->send(to_other, datagram));

  finish(20);

  EXPECT_EQ(refused_, 2u);
  expect_received(datagrams);
  for (const Datagram& datagram : datagrams) EXPECT_EQ(other.receive(), datagram);
}

// Whoever is sent datagrams that are too large for the route is sent them singly; trains of others
// go on, whatever sizes somebody makes up.
TEST_F(LinkSenderTest, KeepsGsoHoweverManyTrainsAreTooLargeForTheRoute_E08) {
  open_with_gso();
  forbid_trains();

  constexpr unsigned kTrains = 2 * LinkSender::kRefusalsMax;
  for (unsigned i = 0; i < kTrains; ++i) {
    ASSERT_TRUE(send(numbered(2 * i, 1450 - i)));
    ASSERT_TRUE(send(numbered(2 * i + 1, 1450 - i)));
    finish(2 * i + 2);
  }
  EXPECT_EQ(refused_, kTrains);
  forbid_trains(false);
  trains_ = 0;
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(send(numbered(i, 1000)));
  finish(2 * kTrains + 10);

  EXPECT_EQ(trains_, 1u);
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

}  // namespace
}  // namespace ringway
