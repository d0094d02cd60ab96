#include "dataplane/link_sender.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/dataplane/link_sender_rig.h"
#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

using test::Datagram;
using test::ip;
using test::LinkClient;
using test::LinkSenderTest;
using test::numbered;

TEST_F(LinkSenderTest, ForgetsWhatWasReservedAndNotCommitted) {
  const MutableBytes first = sender_->reserve(to_, kDatagramSize);
  ASSERT_EQ(first.size(), kDatagramSize);

  EXPECT_EQ(sender_->reserve(to_, 100).data(), first.data());
  ASSERT_TRUE(send(numbered(1, 200)));

  finish(1);
  expect_received({numbered(1, 200)});
  EXPECT_EQ(ring_.in_flight(), 0u);
}

TEST_F(LinkSenderTest, SendsNothingThatWasReservedAndNotCommitted) {
  ASSERT_FALSE(sender_->reserve(to_, 100).empty());

  EXPECT_FALSE(sender_->submit(ring_));

  EXPECT_EQ(ring_.in_flight(), 0u);
  ASSERT_TRUE(send(numbered(1, 200)));
  finish(1);
  expect_received({numbered(1, 200)});
}

TEST_F(LinkSenderTest, HasNoRoomForADatagramLargerThanItsBuffers) {
  EXPECT_TRUE(sender_->reserve(to_, kDatagramSize + 1).empty());
  EXPECT_FALSE(sender_->reserve(to_, kDatagramSize).empty());
  open_with_gso();
  EXPECT_TRUE(sender_->reserve(to_, 2049).empty());
  EXPECT_FALSE(sender_->reserve(to_, 2048).empty());
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

// B03: a client hears only what comes from the very address and port that it sent to. The caller
// has one buffer for all that it says, as a worker has for its answers to strangers.
TEST_F(LinkSenderTest, SendsToEachFromWhereItWasAddressed_B03) {
  auto second = open_udp_sockets({.port = 0}, 1);
  ASSERT_TRUE(second);
  sockets_.push_back(std::move(second->sockets[0]));
  sender_.emplace(LinkSender::Settings{.budget = 16 * kDatagramSize, .datagram_size_max = 64},
                  sockets_);
  std::vector<std::unique_ptr<LinkClient>> clients;
  std::vector<LinkEndpoint> asked;
  for (const std::uint8_t listener : {0, 1, 1, 0, 1, 0}) {
    const IpAddress local = ip(clients.size() % 3 == 0 ? "127.0.0.2" : "127.0.0.1");
    clients.push_back(
        std::make_unique<LinkClient>(Endpoint{local, sockets_[listener].local().port}));
    asked.push_back({.remote = clients.back()->local(), .local = local, .listener = listener});
  }

  Datagram answer;
  for (std::uint32_t i = 0; i < asked.size(); ++i) {
    answer = numbered(i, 40);
    ASSERT_TRUE(sender_->send_alone(asked[i], answer));
    answer.assign(40, 0xee);
  }
  finish(asked.size());

  for (std::uint32_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i]->receive(), numbered(i, 40)) << i;
    EXPECT_FALSE(clients[i]->receive(0)) << i;
  }
}

TEST_F(LinkSenderTest, SplitsWhatIsTooMuchForOneSend) {
  for (const std::uint16_t segments_max : {GsoBatch::kSegmentsMaxOld, GsoBatch::kSegmentsMax}) {
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

}  // namespace
}  // namespace ringway
