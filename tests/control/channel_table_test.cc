#include "control/channel_table.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

LinkEndpoint endpoint(std::uint16_t port, ConnectionId connection = {}) {
  return {.remote = {.address = *IpAddress::parse("192.0.2.1"), .port = port},
          .local = {},
          .connection = connection};
}

SessionId session(std::uint8_t first) { return {.bytes = {first, 1, 2, 3, 4, 5, 6, 7}}; }

TEST(ChannelTable, TellsChannelsOfOneEndpointApartBySessionId) {
  test::SeededRandom random(1);
  ChannelTable table(random);
  table.add(endpoint(1), {.session = session(1), .client = {10}});
  table.add(endpoint(1), {.session = session(2), .client = {20}});

  EXPECT_EQ(table.find(endpoint(1), session(1)), ClientId{10});
  EXPECT_EQ(table.find(endpoint(1), session(2)), ClientId{20});
  EXPECT_EQ(table.at(endpoint(1)).size(), 2u);
}

TEST(ChannelTable, TellsTcpFromUdpAndOneConnectionFromTheNext) {
  test::SeededRandom random(1);
  ChannelTable table(random);
  const LinkEndpoint first = endpoint(1, {.number = 0, .generation = 1});
  const LinkEndpoint second = endpoint(1, {.number = 0, .generation = 2});
  table.add(endpoint(1), {.session = session(1), .client = {10}});
  table.add(first, {.session = session(1), .client = {20}});
  table.add(second, {.session = session(1), .client = {30}});

  EXPECT_EQ(table.find(endpoint(1), session(1)), ClientId{10});
  EXPECT_EQ(table.find(first, session(1)), ClientId{20});
  EXPECT_EQ(table.find(second, session(1)), ClientId{30});
  EXPECT_EQ(table.at(first).size(), 1u);
}

// B03: a NAT that maps by destination gives two clients one address and port.
TEST(ChannelTable, TellsApartWhichOfOurAddressesAndListenersWasCalled) {
  test::SeededRandom random(1);
  ChannelTable table(random);
  LinkEndpoint other_address = endpoint(1);
  other_address.local = *IpAddress::parse("198.51.100.2");
  LinkEndpoint other_listener = endpoint(1);
  other_listener.listener = 1;
  table.add(endpoint(1), {.session = session(1), .client = {10}});
  table.add(other_address, {.session = session(1), .client = {20}});
  table.add(other_listener, {.session = session(1), .client = {30}});

  EXPECT_EQ(table.find(endpoint(1), session(1)), ClientId{10});
  EXPECT_EQ(table.find(other_address, session(1)), ClientId{20});
  EXPECT_EQ(table.find(other_listener, session(1)), ClientId{30});
  EXPECT_EQ(table.at(endpoint(1)).size(), 1u);
}

TEST(ChannelTable, FindsNothingAtAnotherEndpoint) {
  test::SeededRandom random(1);
  ChannelTable table(random);
  table.add(endpoint(1), {.session = session(1), .client = {10}});

  EXPECT_FALSE(table.find(endpoint(2), session(1)));
  EXPECT_TRUE(table.at(endpoint(2)).empty());
}

TEST(ChannelTable, RemovesOneChannelAndLeavesTheOther) {
  test::SeededRandom random(1);
  ChannelTable table(random);
  table.add(endpoint(1), {.session = session(1), .client = {10}});
  table.add(endpoint(1), {.session = session(2), .client = {20}});

  table.remove(endpoint(1), {10});
  table.remove(endpoint(1), {10});

  EXPECT_FALSE(table.find(endpoint(1), session(1)));
  EXPECT_EQ(table.find(endpoint(1), session(2)), ClientId{20});
  EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace ringway
