#include "dataplane/stream_receiver.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/check.h"
#include "base/unique_fd.h"

namespace ringway {
namespace {

constexpr std::size_t kRoom = 100;
/// The fewest that there are.
constexpr std::size_t kBuffers = 8;

/// Some pairs of sockets whose near ends are received from.
class StreamReceiverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ring_.open({}));
    ASSERT_TRUE(receiver_.open(ring_));
    receiver_.make_room(64);
  }
  void TearDown() override {
    ring_.drain([this](const Completion& done) { receiver_.reclaim(done); });
  }
  std::uint32_t add() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near_.emplace_back(ends[0]);
    far_.emplace_back(ends[1]);
    const auto slot = static_cast<std::uint32_t>(near_.size() - 1);
    receiver_.want(slot);
    return slot;
  }
  void write(std::uint32_t slot, std::uint8_t value) {
    ASSERT_EQ(::send(far_[slot].get(), &value, 1, 0), 1);
  }
  std::vector<StreamReceiver::Outcome> turn() {
    receiver_.arm(
        ring_, [this](std::uint32_t slot) { return near_[slot].get(); },
        [this](std::uint32_t) { ++armed_; });
    RW_ASSERT(ring_.submit_and_wait(20ms) == 0);
    std::array<Completion, 64> some;
    std::vector<StreamReceiver::Outcome> outcomes;
    for (const Completion& done : std::span(some).first(ring_.collect(some))) {
      outcomes.push_back(receiver_.note_received(done));
      if (outcomes.back() == StreamReceiver::Outcome::Again) receiver_.want(done.tag.slot);
    }
    return outcomes;
  }

  Ring ring_;
  StreamReceiver receiver_{{.group = 2, .budget = 1, .room = kRoom}};
  std::vector<UniqueFd> near_;
  std::vector<UniqueFd> far_;
  std::size_t armed_ = 0;
};

TEST_F(StreamReceiverTest, LeavesRoomInFrontOfWhatCame) {
  const std::uint32_t slot = add();
  write(slot, 7);
  turn();

  const StreamReceiver::Arrival* const arrival = receiver_.front();

  ASSERT_NE(arrival, nullptr);
  EXPECT_EQ(arrival->slot, slot);
  ASSERT_EQ(arrival->bytes.size(), kRoom + 1);
  EXPECT_EQ(arrival->bytes[kRoom], 7);
  receiver_.pop();
  EXPECT_EQ(receiver_.front(), nullptr);
}

TEST_F(StreamReceiverTest, SaysWhenTheOtherEndHasClosed) {
  add();
  far_[0].reset();
  EXPECT_EQ(turn(), std::vector{StreamReceiver::Outcome::Ended});
}

TEST_F(StreamReceiverTest, LetsTheOthersWaitInTheirSocketsWhenTheBuffersAreUsedUp_E03) {
  for (std::size_t i = 0; i < 2 * kBuffers; ++i) write(add(), static_cast<std::uint8_t>(i));
  for (int i = 0; i < 5; ++i) turn();
  std::vector<bool> seen(2 * kBuffers, false);
  std::size_t arrived = 0;
  const auto take = [&] {
    while (const StreamReceiver::Arrival* const arrival = receiver_.front()) {
      seen.at(arrival->bytes[kRoom]) = true;
      ++arrived;
      receiver_.pop();
    }
  };
  // No buffer, no receive: what could not be had is not asked for again and again.
  const std::size_t armed = armed_;
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_LE(armed_, armed + kBuffers);

  take();
  EXPECT_EQ(arrived, kBuffers);
  for (int i = 0; i < 5; ++i) turn();
  take();
  EXPECT_EQ(seen, std::vector<bool>(2 * kBuffers, true));
}

TEST_F(StreamReceiverTest, KeepsABufferUntilTheWritesOfAllItsPartsHaveCompleted_E01) {
  const std::uint32_t slot = add();
  for (std::size_t i = 0; i < kBuffers; ++i) {
    write(slot, 1);
    turn();
    ASSERT_NE(receiver_.front(), nullptr);
    receiver_.hold();
    receiver_.hold();
    receiver_.pop();
    receiver_.want(slot);
  }
  write(slot, 2);
  turn();
  EXPECT_EQ(receiver_.front(), nullptr);
  receiver_.release(0);
  turn();
  EXPECT_EQ(receiver_.front(), nullptr) << "half released";

  receiver_.release(0);
  turn();
  turn();

  ASSERT_NE(receiver_.front(), nullptr);
  EXPECT_EQ(receiver_.front()->buffer, 0);
  receiver_.pop();
}

TEST_F(StreamReceiverTest, ServesConnectionsInTurn) {
  for (std::uint8_t i = 0; i < 3; ++i) write(add(), i);
  turn();
  EXPECT_EQ(receiver_.front()->slot, 0u);
  receiver_.pass();
  EXPECT_EQ(receiver_.front()->slot, 1u);
  receiver_.pop();
  EXPECT_EQ(receiver_.front()->slot, 2u);
  receiver_.pop();
  EXPECT_EQ(receiver_.front()->slot, 0u);
  receiver_.pop();
}

}  // namespace
}  // namespace ringway
