#include "control/channel/reliable_receiver.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace ringway {
namespace {

bool give(ReliableReceiver& receiver, std::uint32_t id, std::uint8_t payload) {
  return receiver.handle_message(Opcode::ControlV1, {id}, Bytes(&payload, 1));
}

std::optional<std::uint8_t> next(ReliableReceiver& receiver) {
  const auto message = receiver.poll_message();
  if (!message || message->payload.size() != 1) return std::nullopt;
  return message->payload[0];
}

TEST(ReliableReceiver, DeliversInOrder) {
  ReliableReceiver receiver({0});
  EXPECT_TRUE(give(receiver, 2, 'c'));
  EXPECT_TRUE(give(receiver, 0, 'a'));

  EXPECT_EQ(next(receiver), 'a');
  EXPECT_EQ(next(receiver), std::nullopt);
  EXPECT_TRUE(give(receiver, 1, 'b'));
  EXPECT_EQ(next(receiver), 'b');
  EXPECT_EQ(next(receiver), 'c');
  EXPECT_EQ(receiver.next_id().value, 3u);
}

TEST(ReliableReceiver, KeepsTheOpcode) {
  ReliableReceiver receiver({0});
  ASSERT_TRUE(receiver.handle_message(Opcode::SoftResetV1, {0}, {}));

  const auto message = receiver.poll_message();

  ASSERT_TRUE(message);
  EXPECT_EQ(message->opcode, Opcode::SoftResetV1);
  EXPECT_TRUE(message->payload.empty());
}

TEST(ReliableReceiver, AcknowledgesAgainButDeliversOnce) {
  ReliableReceiver receiver({0});
  ASSERT_TRUE(give(receiver, 0, 'a'));

  EXPECT_TRUE(give(receiver, 0, 'x'));  // Buffered, not yet delivered.
  EXPECT_EQ(next(receiver), 'a');
  EXPECT_TRUE(give(receiver, 0, 'x'));  // Delivered.
  EXPECT_EQ(next(receiver), std::nullopt);
}

TEST(ReliableReceiver, RefusesWhatLiesBeyondItsWindow) {
  ReliableReceiver receiver({0});

  EXPECT_TRUE(give(receiver, ReliableReceiver::kWindow - 1, 'z'));
  EXPECT_FALSE(give(receiver, ReliableReceiver::kWindow, 'x'));
  EXPECT_FALSE(give(receiver, 0x7fffffff, 'x'));
  ASSERT_TRUE(give(receiver, 0, 'a'));
  EXPECT_EQ(next(receiver), 'a');
  EXPECT_TRUE(give(receiver, ReliableReceiver::kWindow, 'y'));
}

TEST(ReliableReceiver, TakesIdsOfThePastForDuplicates) {
  ReliableReceiver receiver({5});

  EXPECT_TRUE(give(receiver, 4, 'x'));
  EXPECT_TRUE(give(receiver, 0, 'x'));
  EXPECT_EQ(next(receiver), std::nullopt);
}

TEST(ReliableReceiver, CountsAcrossTheEndOfTheNumbers) {
  ReliableReceiver receiver({0xfffffff0});
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::uint32_t id = 0xfffffff0 + i;
    ASSERT_TRUE(give(receiver, id + 1, static_cast<std::uint8_t>(i + 1)));
    ASSERT_TRUE(give(receiver, id, static_cast<std::uint8_t>(i)));
    ASSERT_EQ(next(receiver), i) << "id " << id;
  }
}

}  // namespace
}  // namespace ringway
