#include "dataplane/session_table.h"

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

namespace ringway {
namespace {

using test::endpoint_of;
using test::kStart;

DatapathSettings worker_one_of_four() {
  DatapathSettings settings = test::rig_settings();
  settings.self = {1};
  settings.worker_count = 4;
  return settings;
}

TEST(SessionTable, FindsTheSessionsOfItsOwnPeers) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({5}, endpoint_of({5}), {}, kStart);

  ASSERT_NE(sessions.find({5}), nullptr);
  EXPECT_EQ(sessions.find({5})->peer_id(), PeerId{5});
  EXPECT_EQ(sessions.session_count(), 1u);
}

// Peers 4 to 7 have the same quotient and differ in their worker only.
TEST(SessionTable, DoesNotTakeAnotherWorkersPeerForItsOwn) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({5}, endpoint_of({5}), {}, kStart);

  EXPECT_EQ(sessions.find({4}), nullptr);
  EXPECT_EQ(sessions.find({6}), nullptr);
  EXPECT_EQ(sessions.find({1}), nullptr);
  EXPECT_EQ(sessions.find({PeerId::kUnset}), nullptr);
  EXPECT_EQ(sessions.find({0xff'fffe}), nullptr);
  EXPECT_EQ(sessions.owner({6}), WorkerId{2});
}

TEST(SessionTable, GrowsForAPeerIdBeyondItsRoom) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({4001}, endpoint_of({4001}), {}, kStart);

  ASSERT_NE(sessions.find({4001}), nullptr);
  EXPECT_EQ(sessions.at(sessions.slot_of({4001})), sessions.find({4001}));
}

TEST(SessionTable, ReplacesASessionOfTheSameId) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({5}, endpoint_of({5}), {}, kStart);
  sessions.add({5}, endpoint_of({9}), {}, kStart);

  EXPECT_EQ(sessions.session_count(), 1u);
  EXPECT_EQ(sessions.find({5})->endpoint(), endpoint_of({9}));
  EXPECT_FALSE(sessions.find_endpoint(endpoint_of({5})).is_set());
  EXPECT_EQ(sessions.find_endpoint(endpoint_of({9})), PeerId{5});
}

TEST(SessionTable, ForgetsARemovedSession) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({5}, endpoint_of({5}), {}, kStart);
  sessions.remove({5});
  sessions.remove({5});
  sessions.remove({4});

  EXPECT_EQ(sessions.find({5}), nullptr);
  EXPECT_FALSE(sessions.find_endpoint(endpoint_of({5})).is_set());
  EXPECT_EQ(sessions.session_count(), 0u);
}

TEST(SessionTable, FindsByTheWholeEndpointOnly) {
  SessionTable sessions(worker_one_of_four());
  const LinkEndpoint endpoint = endpoint_of({5});
  sessions.add({5}, endpoint, {}, kStart);
  LinkEndpoint other_port = endpoint;
  ++other_port.remote.port;
  LinkEndpoint other_local = endpoint;
  other_local.local = test::address("192.0.2.99");
  LinkEndpoint other_listener = endpoint;
  other_listener.listener = 1;

  EXPECT_EQ(sessions.find_endpoint(endpoint), PeerId{5});
  EXPECT_FALSE(sessions.find_endpoint(other_port).is_set());
  EXPECT_FALSE(sessions.find_endpoint(other_local).is_set());
  EXPECT_FALSE(sessions.find_endpoint(other_listener).is_set());
}

TEST(SessionTable, LeavesASharedEndpointToTheLaterSession) {
  SessionTable sessions(worker_one_of_four());
  sessions.add({5}, endpoint_of({5}), {}, kStart);
  sessions.add({9}, endpoint_of({5}), {}, kStart);
  EXPECT_EQ(sessions.find_endpoint(endpoint_of({5})), PeerId{9});

  sessions.remove({5});

  EXPECT_EQ(sessions.find_endpoint(endpoint_of({5})), PeerId{9});
}

TEST(SessionTable, KnowsTheEndpointsOfForeignPeers) {
  SessionTable sessions(worker_one_of_four());
  sessions.add_foreign({6}, endpoint_of({6}));
  EXPECT_EQ(sessions.find_endpoint(endpoint_of({6})), PeerId{6});
  EXPECT_EQ(sessions.find({6}), nullptr);
  EXPECT_EQ(sessions.session_count(), 0u);

  sessions.remove({6});

  EXPECT_FALSE(sessions.find_endpoint(endpoint_of({6})).is_set());
}

}  // namespace
}  // namespace ringway
