#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/dataplane/link_streams_rig.h"

/// How connections end, and which are not let in.
namespace ringway {
namespace {

using test::client_reset;
using test::ip;
using test::kMax;
using test::Packet;
using test::StreamClient;
using LinkStreamsEndTest = test::LinkStreamsTest;

TEST_F(LinkStreamsEndTest, ResetsWhoBeginsWithSomethingElse) {
  start();
  const Packet http = {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P'};
  const Packet empty(2, 0);
  Packet data(40, 0);
  store_be16(data.data(), 38);
  data[2] = first_byte(Opcode::DataV2, {0});
  for (const Packet& bytes : {http, empty, data}) {
    StreamClient client(server());
    client.write(bytes);
    EXPECT_TRUE(ends(client));
  }
  EXPECT_EQ(count(Counter::StreamsBroken), 3u);
  EXPECT_TRUE(received_.empty());
  EXPECT_TRUE(until([this] { return ended_.size() == 3; }));
}

TEST_F(LinkStreamsEndTest, ResetsAClientAfterALengthThatIsTooLarge) {
  start();
  const auto client = greet();
  Packet bad(4, 0xff);
  store_be16(bad.data(), kMax + 1);
  client->write(bad);
  EXPECT_TRUE(ends(*client));
  EXPECT_EQ(counters_.snapshot().of(Drop::Oversize), 1u);
}

TEST_F(LinkStreamsEndTest, EndsAConnectionWhenWhatWasQueuedIsSent) {
  start();
  const auto client = greet();
  const ConnectionId connection = from_[0].connection;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(streams_->send(connection, Packet(1000, 5)));
  streams_->end(connection, now_);
  // What it still says changes nothing: closing with that unread would reset the connection.
  client->send(Packet(500, 1));

  std::size_t seen = 0;
  EXPECT_TRUE(until([&] {
    while (client->receive(0)) ++seen;
    return client->has_ended(0);
  }));

  EXPECT_EQ(seen, 20u);
  EXPECT_FALSE(client->was_reset());
  EXPECT_EQ(received_.size(), 1u);
  client->close();
  EXPECT_TRUE(until([this] { return ended_.size() == 1; }));
}

TEST_F(LinkStreamsEndTest, DoesNotWaitForeverForTheOtherEndToClose) {
  start();
  const auto client = greet();
  streams_->end(from_[0].connection, now_);
  turn();
  now_ = now_ + LinkStreams::kEndingWindow + 1s;
  streams_->note_tick(now_);
  EXPECT_TRUE(until([this] { return streams_->count() == 0 && ended_.size() == 1; }));
}

TEST_F(LinkStreamsEndTest, GivesStrangersAWhileAndClientsTheHandWindow) {
  start();
  StreamClient silent(server());
  const auto half_open = greet();
  const auto proven = greet();
  streams_->prove(from_[1].connection);
  ASSERT_TRUE(until([this] { return streams_->count() == 3; }));

  now_ = now_ + LinkStreams::kGreetingWindow + 1s;
  streams_->note_tick(now_);
  EXPECT_TRUE(ends(silent));
  EXPECT_EQ(streams_->count(), 2u);
  now_ = now_ + 60s;
  streams_->note_tick(now_);
  EXPECT_TRUE(ends(*half_open));
  EXPECT_EQ(streams_->count(), 1u);
  EXPECT_EQ(count(Counter::StreamsTimedOut), 2u);
  EXPECT_TRUE(streams_->send(from_[1].connection, Packet(9, 1)));
}

TEST_F(LinkStreamsEndTest, LetsTheOldestOfACrowdMakeRoomAndNobodyElse_R08) {
  start(100, 8);
  const auto proven = greet("192.0.2.1");
  streams_->prove(from_[0].connection);
  const auto lone = greet("192.0.2.1");
  std::vector<std::unique_ptr<StreamClient>> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.push_back(std::make_unique<StreamClient>(server("127.0.0.1")));
    turn(1ms);
  }
  ASSERT_TRUE(until([this] { return count(Counter::StreamsAccepted) == 32; }));

  EXPECT_EQ(streams_->half_open_count(), 8u);
  EXPECT_EQ(count(Counter::StreamsEvicted), 32u - 1 - 8);
  EXPECT_TRUE(ends(*crowd.front()));
  EXPECT_FALSE(crowd.back()->has_ended(0));
  for (const std::size_t client : {0u, 1u}) {
    EXPECT_TRUE(streams_->send(from_[client].connection, Packet(9, 1)));
  }
}

TEST_F(LinkStreamsEndTest, TakesNobodyBeyondItsLimitWhenAllHaveProvenThemselves) {
  start(2, 2);
  const auto first = greet();
  const auto second = greet();
  for (const std::size_t i : {0u, 1u}) streams_->prove(from_[i].connection);

  StreamClient third(server());

  EXPECT_TRUE(ends(third));
  EXPECT_EQ(streams_->count(), 2u);
}

TEST_F(LinkStreamsEndTest, WaitsWithoutSpinningWhereThereIsNoFileDescriptorLeft_R15) {
  set_up();
  StreamClient waiting(server());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  // An accept goes by the limit of when it was armed.
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (int i = 0; i < 100; ++i) turn(1ms);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  const std::uint64_t failures = count(Counter::StreamAcceptFailed);
  EXPECT_GE(failures, 1u);
  EXPECT_LE(failures, 3u);

  streams_->note_tick(now_);

  EXPECT_TRUE(until([this] { return streams_->count() == 1; }));
}

TEST_F(LinkStreamsEndTest, LeavesTheDeadlineOfWhoIsAskedAboutToTheControlThread) {
  start();
  const auto awaited = greet();
  const auto stranger = greet();
  streams_->await(from_[0].connection);

  now_ = now_ + 1000s;
  streams_->note_tick(now_);
  EXPECT_TRUE(ends(*stranger));
  EXPECT_TRUE(streams_->send(from_[0].connection, Packet(9, 1)));
}

// Strangers make room before him, and he before those who were let in.
TEST_F(LinkStreamsEndTest, LetsWhoIsAskedAboutMakeRoomAfterStrangers_R08) {
  start(3, 3);
  const auto awaited = greet();
  const auto proven = greet();
  const auto stranger = greet();
  streams_->await(from_[0].connection);
  streams_->prove(from_[1].connection);

  const auto second = greet();
  EXPECT_TRUE(ends(*stranger));
  EXPECT_FALSE(awaited->has_ended(0));
  streams_->prove(from_[3].connection);
  const auto third = greet();
  EXPECT_TRUE(ends(*awaited));
  EXPECT_FALSE(proven->has_ended(0));
  EXPECT_FALSE(second->has_ended(0));
}

TEST_F(LinkStreamsEndTest, LetsWhoHasBeenToldToGoMakeRoomFirst_R08) {
  start(2, 2);
  const auto leaving = greet();
  const auto stranger = greet();
  streams_->end(from_[0].connection, now_);
  turn();

  StreamClient newcomer(server());

  EXPECT_TRUE(ends(*leaving));
  ASSERT_TRUE(until([this] { return count(Counter::StreamsEvicted) == 1; }));
  EXPECT_FALSE(stranger->has_ended(0));
  EXPECT_TRUE(streams_->send(from_[1].connection, Packet(9, 1)));
}

}  // namespace
}  // namespace ringway
