#include "dataplane/channel/keepalive.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/dataplane/channel/test_keys.h"
#include "tests/support/vectors.h"

namespace ringway {
namespace {

using test::kStart;

TEST(ClassifyPayload, KnowsTheExitThatAnOldClientSends) {
  const auto vector = test::load_vector("occ-exit");
  EXPECT_EQ(classify_payload(vector.bytes("plaintext")), PayloadKind::Exit);
}

TEST(ClassifyPayload, KnowsAPing) { EXPECT_EQ(classify_payload(kPingPayload), PayloadKind::Ping); }

TEST(ClassifyPayload, IgnoresTheOtherOccMessages) {
  for (const unsigned opcode : {0u, 1u, 2u, 3u, 5u, 7u, 255u}) {
    std::vector<std::uint8_t> payload(kExitPayload.begin(), kExitPayload.end());
    payload.back() = static_cast<std::uint8_t>(opcode);
    EXPECT_EQ(classify_payload(payload), PayloadKind::Ignored) << opcode;
    payload.resize(payload.size() + 20);
    EXPECT_EQ(classify_payload(payload), PayloadKind::Ignored) << opcode;
  }
}

// Security goal C06: the length must match, too.
TEST(ClassifyPayload, TakesNothingLongerOrShorterForAPingOrAnExit) {
  std::vector<std::uint8_t> ping(kPingPayload.begin(), kPingPayload.end());
  ping.push_back(0);
  EXPECT_EQ(classify_payload(ping), PayloadKind::Packet);
  std::vector<std::uint8_t> exit(kExitPayload.begin(), kExitPayload.end());
  exit.push_back(0);
  EXPECT_EQ(classify_payload(exit), PayloadKind::Ignored);

  for (std::size_t size = 0; size < kPingPayload.size(); ++size)
    EXPECT_EQ(classify_payload(Bytes(kPingPayload).first(size)), PayloadKind::Packet) << size;
  for (std::size_t size = 0; size < kExitPayload.size(); ++size)
    EXPECT_EQ(classify_payload(Bytes(kExitPayload).first(size)), PayloadKind::Packet) << size;
}

TEST(PingTimer, WantsAPingWhenNothingWasSentForTheInterval) {
  PingTimer timer(10s, 0s, kStart);
  EXPECT_FALSE(timer.ping_is_due(kStart + 9s));
  EXPECT_TRUE(timer.ping_is_due(kStart + 10s));
  EXPECT_EQ(timer.deadline(), kStart + 10s);

  timer.note_sent(kStart + 7s);

  EXPECT_FALSE(timer.ping_is_due(kStart + 16s));
  EXPECT_TRUE(timer.ping_is_due(kStart + 17s));
}

TEST(PingTimer, IsNotMovedByWhatIsReceived) {
  PingTimer timer(10s, 0s, kStart);
  timer.note_received(kStart + 9s);
  EXPECT_TRUE(timer.ping_is_due(kStart + 10s));
}

TEST(PingTimer, NoticesSilenceOnceInEachRestartInterval) {
  PingTimer timer(0s, 60s, kStart);
  EXPECT_FALSE(timer.take_idle_notice(kStart + 59s));
  EXPECT_TRUE(timer.take_idle_notice(kStart + 60s));
  EXPECT_FALSE(timer.take_idle_notice(kStart + 61s));
  EXPECT_FALSE(timer.take_idle_notice(kStart + 119s));
  EXPECT_TRUE(timer.take_idle_notice(kStart + 120s));
}

TEST(PingTimer, HearsThePeerAgain) {
  PingTimer timer(0s, 60s, kStart);
  ASSERT_TRUE(timer.take_idle_notice(kStart + 60s));
  timer.note_received(kStart + 100s);

  EXPECT_FALSE(timer.take_idle_notice(kStart + 159s));
  EXPECT_TRUE(timer.take_idle_notice(kStart + 160s));
  EXPECT_EQ(timer.last_received(), kStart + 100s);
}

TEST(PingTimer, WantsNothingWhenBothAreOff) {
  PingTimer timer(0s, 0s, kStart);
  EXPECT_FALSE(timer.ping_is_due(kStart + 1000h));
  EXPECT_FALSE(timer.take_idle_notice(kStart + 1000h));
  EXPECT_GT(timer.deadline(), kStart + 100000h);
}

TEST(PingTimer, HasTheEarlierOfBothDeadlines) {
  EXPECT_EQ(PingTimer(10s, 60s, kStart).deadline(), kStart + 10s);
  EXPECT_EQ(PingTimer(60s, 10s, kStart).deadline(), kStart + 10s);
}

}  // namespace
}  // namespace ringway
