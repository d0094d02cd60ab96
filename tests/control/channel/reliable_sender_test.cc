#include "control/channel/reliable_sender.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace ringway {
namespace {

constexpr Instant kStart{100s};

void queue(ReliableSender& sender, std::uint8_t payload, Instant now = kStart) {
  sender.queue(Opcode::ControlV1, Bytes(&payload, 1), now);
}

/// Ids of everything that is due, in the order of sending.
std::vector<std::uint32_t> send_all(ReliableSender& sender, Instant now) {
  std::vector<std::uint32_t> ids;
  while (const auto message = sender.poll_transmit(now)) ids.push_back(message->id.value);
  return ids;
}

using Ids = std::vector<std::uint32_t>;

TEST(ReliableSender, SendsAtOnceWithIdsThatCount) {
  ReliableSender sender({1}, 2s);
  queue(sender, 'a');
  queue(sender, 'b');

  EXPECT_EQ(sender.poll_timeout(), kStart);
  const auto first = sender.poll_transmit(kStart);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->opcode, Opcode::ControlV1);
  EXPECT_EQ(first->id.value, 1u);
  ASSERT_EQ(first->payload.size(), 1u);
  EXPECT_EQ(first->payload[0], 'a');
  EXPECT_EQ(send_all(sender, kStart), Ids{2});
}

TEST(ReliableSender, RepeatsAfterTwoFourEightAndThenEverySixteenSeconds) {  // A12
  ReliableSender sender({0}, 2s);
  queue(sender, 'a');
  Instant at = kStart;
  for (const Duration wait : {0s, 2s, 4s, 8s, 16s, 16s, 16s}) {
    at = at + wait;
    ASSERT_EQ(sender.poll_timeout(), at);
    EXPECT_EQ(send_all(sender, at - 1ns), Ids{});
    EXPECT_EQ(send_all(sender, at), Ids{0});
  }
}

TEST(ReliableSender, StopsRepeatingWhatWasAcknowledged) {
  ReliableSender sender({0}, 2s);
  queue(sender, 'a');
  queue(sender, 'b');
  send_all(sender, kStart);

  sender.handle_ack({0}, kStart + 1s);

  EXPECT_EQ(send_all(sender, kStart + 2s), Ids{1});
  EXPECT_FALSE(sender.all_acknowledged());
  sender.handle_ack({1}, kStart + 3s);
  EXPECT_TRUE(sender.all_acknowledged());
  EXPECT_EQ(sender.poll_timeout(), std::nullopt);
}

TEST(ReliableSender, SendsTheLowestIdFirst) {
  ReliableSender sender({0}, 2s);
  queue(sender, 'a');
  send_all(sender, kStart);
  queue(sender, 'b', kStart + 1s);
  queue(sender, 'c', kStart + 1s);

  EXPECT_EQ(send_all(sender, kStart + 2s), (Ids{0, 1, 2}));
}

TEST(ReliableSender, HasRoomForSixUnacknowledgedMessages) {
  ReliableSender sender({0}, 2s);
  for (std::size_t i = 0; i < ReliableSender::kWindow; ++i) {
    ASSERT_TRUE(sender.has_room());
    queue(sender, 'a');
  }
  send_all(sender, kStart);

  EXPECT_FALSE(sender.has_room());
  sender.handle_ack({0}, kStart);
  EXPECT_TRUE(sender.has_room());
}

TEST(ReliableSender, NeverRunsAheadOfTheWindowOfItsOldestMessage) {
  ReliableSender sender({0}, 2s);
  for (int i = 0; i < 6; ++i) queue(sender, 'a');
  send_all(sender, kStart);

  for (std::uint32_t id = 1; id < 6; ++id) sender.handle_ack({id}, kStart);

  EXPECT_FALSE(sender.has_room());
  sender.handle_ack({0}, kStart);
  EXPECT_TRUE(sender.has_room());
}

TEST(ReliableSender, RepeatsAtOnceAfterThreeLaterAcknowledgements) {
  ReliableSender sender({0}, 2s);
  for (int i = 0; i < 5; ++i) queue(sender, 'a');
  send_all(sender, kStart);
  const Instant soon = kStart + 100ms;

  sender.handle_ack({1}, soon);
  sender.handle_ack({2}, soon);
  EXPECT_EQ(send_all(sender, soon), Ids{});
  sender.handle_ack({3}, soon);

  EXPECT_EQ(send_all(sender, soon), Ids{0});
  sender.handle_ack({4}, soon);
  EXPECT_EQ(send_all(sender, soon), Ids{});  // The count begins anew.
}

TEST(ReliableSender, CountsARepeatedAcknowledgementOnce) {
  ReliableSender sender({0}, 2s);
  for (int i = 0; i < 3; ++i) queue(sender, 'a');
  send_all(sender, kStart);

  for (int i = 0; i < 5; ++i) sender.handle_ack({1}, kStart);

  EXPECT_EQ(send_all(sender, kStart), Ids{});
}

TEST(ReliableSender, DoesNotHurryWhatIsLaterThanTheAcknowledged) {
  ReliableSender sender({0}, 2s);
  for (int i = 0; i < 4; ++i) queue(sender, 'a');
  send_all(sender, kStart);

  for (std::uint32_t id = 0; id < 3; ++id) sender.handle_ack({id}, kStart);

  EXPECT_EQ(send_all(sender, kStart), Ids{});
}

TEST(ReliableSender, IgnoresAcknowledgementsOfWhatItNeverSent) {  // A12
  ReliableSender sender({0}, 2s);
  queue(sender, 'a');

  sender.handle_ack({0}, kStart);  // Queued, but not on the wire yet.
  sender.handle_ack({1}, kStart);
  sender.handle_ack({0xffffffff}, kStart);

  EXPECT_FALSE(sender.all_acknowledged());
  EXPECT_EQ(send_all(sender, kStart), Ids{0});
}

TEST(ReliableSender, SendsEverythingAgainWhenExpedited) {
  ReliableSender sender({0}, 2s);
  queue(sender, 'a');
  queue(sender, 'b');
  send_all(sender, kStart);

  sender.expedite(kStart + 1s);

  EXPECT_EQ(sender.poll_timeout(), kStart + 1s);
  EXPECT_EQ(send_all(sender, kStart + 1s), (Ids{0, 1}));
}

TEST(ReliableSender, KeepsItsOwnCopyOfAPayload) {  // B01, B02
  ReliableSender sender({0}, 2s);
  std::vector<std::uint8_t> payload = {1, 2, 3};
  sender.queue(Opcode::ControlV1, payload, kStart);
  payload.assign(3, 9);

  const auto message = sender.poll_transmit(kStart);

  ASSERT_TRUE(message);
  EXPECT_EQ(message->payload[0], 1);
}

TEST(ReliableSender, CountsAcrossTheEndOfTheNumbers) {
  ReliableSender sender({0xfffffffe}, 2s);
  for (int i = 0; i < 4; ++i) queue(sender, 'a');

  EXPECT_EQ(send_all(sender, kStart), (Ids{0xfffffffe, 0xffffffff, 0, 1}));
  for (const std::uint32_t id : {0xffffffffu, 0u, 1u}) sender.handle_ack({id}, kStart);
  EXPECT_EQ(send_all(sender, kStart), Ids{0xfffffffe});
}

}  // namespace
}  // namespace ringway
