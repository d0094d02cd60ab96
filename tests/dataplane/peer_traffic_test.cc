#include "dataplane/peer_traffic.h"

#include <gtest/gtest.h>

namespace ringway {
namespace {

TEST(PeerTrafficTable, KeepsARowForEachPeer) {
  PeerTrafficTable table(4);

  table.publish({1}, {.bytes_received = 10,
                      .bytes_sent = 20,
                      .payload_bytes = 25,
                      .last_received = Instant{3s},
                      .path_mtu = 1460,
                      .path_is_proven = true});

  ASSERT_TRUE(table.of({1}).has_value());
  EXPECT_EQ(table.of({1})->bytes_received, 10u);
  EXPECT_EQ(table.of({1})->bytes_sent, 20u);
  EXPECT_EQ(table.of({1})->payload_bytes, 25u);
  EXPECT_EQ(table.of({1})->last_received, Instant{3s});
  EXPECT_EQ(table.of({1})->path_mtu, 1460);
  EXPECT_TRUE(table.of({1})->path_is_proven);
  EXPECT_EQ(table.of({2})->bytes_received, 0u);
  EXPECT_FALSE(table.of({2})->path_is_proven);
}

TEST(PeerTrafficTable, AClearedRowStartsAtNothing) {
  PeerTrafficTable table(4);
  table.publish({1}, {.bytes_received = 10, .bytes_sent = 20, .last_received = Instant{3s}});

  table.clear({1});

  EXPECT_EQ(table.of({1})->bytes_received, 0u);
  EXPECT_EQ(table.of({1})->last_received, Instant{});
}

TEST(PeerTrafficTable, IdsBeyondItAreNotKept) {
  PeerTrafficTable table(4);

  table.publish({4}, {.bytes_received = 10});
  table.publish({PeerId::kUnset}, {.bytes_received = 10});

  EXPECT_FALSE(table.of({4}).has_value());
  EXPECT_FALSE(table.of({PeerId::kUnset}).has_value());
}

}  // namespace
}  // namespace ringway
