#include "dataplane/known_channels.h"

#include <gtest/gtest.h>

#include "tests/dataplane/admission/admission_fixture.h"

namespace ringway {
namespace {

using Standing = KnownChannels::Standing;
using test::session_id;

constexpr Instant kNow{100s};

LinkEndpoint at(std::uint16_t port, ConnectionId connection = {}) {
  return {.remote = {*IpAddress::parse("192.0.2.7"), port, 0},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0,
          .connection = connection};
}

class KnownChannelsTest : public testing::Test {
 protected:
  Standing find(const LinkEndpoint& from, std::uint64_t session, Instant now = kNow) const {
    return known_.find(from, session_id(session), now);
  }
  KnownChannels known_{AddressHash{.key = {3}}, 16};
};

TEST_F(KnownChannelsTest, FindsWhatItWasTold) {
  known_.put(at(1), session_id(7), false);
  known_.put(at(1), session_id(8), true);

  EXPECT_EQ(find(at(1), 7), Standing::Newcomer);
  EXPECT_EQ(find(at(1), 8), Standing::Established);
  EXPECT_EQ(find(at(1), 9), Standing::Unknown);
  EXPECT_EQ(find(at(2), 7), Standing::Unknown);

  known_.put(at(1), session_id(7), true);
  known_.remove(at(1), session_id(8));
  EXPECT_EQ(find(at(1), 7), Standing::Established);
  EXPECT_EQ(find(at(1), 8), Standing::Unknown);
}

TEST_F(KnownChannelsTest, TellsConnectionsFromDatagramsAndFromEachOther) {
  known_.put(at(1, {.number = 4, .generation = 1}), session_id(7), true);

  EXPECT_EQ(find(at(1), 7), Standing::Unknown);
  EXPECT_EQ(find(at(1, {.number = 4, .generation = 2}), 7), Standing::Unknown);
  EXPECT_EQ(find(at(1, {.number = 4, .generation = 1}), 7), Standing::Established);
}

TEST_F(KnownChannelsTest, TellsListenersApart) {
  LinkEndpoint elsewhere = at(1);
  elsewhere.listener = 1;
  known_.put(at(1), session_id(7), true);

  EXPECT_EQ(find(elsewhere, 7), Standing::Unknown);
  EXPECT_FALSE(known_.is_inhabited(elsewhere));
}

TEST_F(KnownChannelsTest, RemembersForAWhileWhoHasReturnedACookie) {
  known_.note_proven(at(1), session_id(7), kNow);

  EXPECT_EQ(find(at(1), 7), Standing::Proven);
  EXPECT_EQ(find(at(1), 8), Standing::Unknown);
  EXPECT_EQ(find(at(2), 7), Standing::Unknown);
  EXPECT_EQ(find(at(1), 7, kNow + KnownChannels::kProvenTime), Standing::Unknown);
  known_.put(at(1), session_id(7), true);
  EXPECT_EQ(find(at(1), 7), Standing::Established);
}

TEST_F(KnownChannelsTest, HasPlacesForAllWhoComeAtOnceAndNoMore) {
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    known_.note_proven(at(1), session_id(i), kNow);
  }
  std::size_t remembered = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    remembered += find(at(1), i) == Standing::Proven ? 1 : 0;
  }
  EXPECT_EQ(remembered, KnownChannels::kProvenMax);
  EXPECT_EQ(known_.size(), 0u);
}

TEST_F(KnownChannelsTest, KnowsWhereSomebodyIs) {
  EXPECT_FALSE(known_.is_inhabited(at(1)));
  known_.put(at(1), session_id(7), false);
  known_.put(at(1), session_id(8), false);
  known_.remove(at(1), session_id(7));
  EXPECT_TRUE(known_.is_inhabited(at(1)));
  known_.remove(at(1), session_id(8));
  known_.remove(at(1), session_id(8));
  EXPECT_FALSE(known_.is_inhabited(at(1)));
}

TEST_F(KnownChannelsTest, AnswersResetsWhereSomebodyIsConnectedOnceASecond) {  // A15
  known_.note_reset_answered(at(1), kNow);
  EXPECT_TRUE(known_.may_answer_reset(at(1), kNow)) << "nobody is there";
  known_.put(at(1), session_id(7), false);
  known_.note_reset_answered(at(1), kNow);
  EXPECT_TRUE(known_.may_answer_reset(at(1), kNow)) << "nobody is connected there";

  known_.put(at(1), session_id(7), true);
  EXPECT_TRUE(known_.may_answer_reset(at(1), kNow));
  known_.note_reset_answered(at(1), kNow);
  EXPECT_FALSE(known_.may_answer_reset(at(1), kNow + 1s - 1ns));
  EXPECT_TRUE(known_.may_answer_reset(at(1), kNow + 1s));
  EXPECT_TRUE(known_.may_answer_reset(at(2), kNow));
}

}  // namespace
}  // namespace ringway
