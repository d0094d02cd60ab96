#include "dataplane/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/seeded_random.h"

namespace ringway {
namespace {

constexpr std::uint32_t kBulkSize = 61'000;
constexpr Instant kStart{};

class FairQueueTest : public ::testing::Test {
 protected:
  FairQueue queue_{FairQueue::Settings{
      .frames_max = 128, .kept_frames_max = 96, .kept_bytes_max = 4 << 20, .sojourn_max = 20ms}};
  std::uint32_t next_slot_ = 0;

  std::uint32_t push(std::uint32_t peer, std::uint32_t size, Instant now = kStart) {
    queue_.push({.slot = next_slot_, .size = size, .peer = {peer}, .since = now});
    return next_slot_++;
  }
  std::optional<FairQueue::Frame> take(std::uint8_t outlet = 0) {
    const FairQueue::Frame* const front = queue_.front(outlet);
    if (front == nullptr) return std::nullopt;
    const FairQueue::Frame frame = *front;
    queue_.pop(outlet);
    return frame;
  }
  std::vector<std::uint32_t> take_peers() {
    std::vector<std::uint32_t> peers;
    while (const auto frame = take()) peers.push_back(frame->peer.value);
    return peers;
  }
};

using Peers = std::vector<std::uint32_t>;

TEST_F(FairQueueTest, IsEmptyAtFirst) {
  EXPECT_TRUE(queue_.is_empty());
  EXPECT_EQ(queue_.front(0), nullptr);
  EXPECT_FALSE(queue_.shed(kStart).has_value());
}

TEST_F(FairQueueTest, KeepsTheOrderOfAPeersFrames) {
  for (std::uint32_t i = 0; i < 50; ++i) push(1, 1400);

  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(take()->slot, i);
  EXPECT_TRUE(queue_.is_empty());
  EXPECT_EQ(queue_.byte_count(), 0u);
}

TEST_F(FairQueueTest, ShowsTheSameFrameUntilItIsTaken) {
  push(1, 100);
  push(2, 100);

  EXPECT_EQ(queue_.front(0)->slot, 0u);
  EXPECT_EQ(queue_.front(0)->slot, 0u);
}

TEST_F(FairQueueTest, LetsPeersWithSuperPacketsTakeTurns) {
  for (int i = 0; i < 4; ++i) push(1, kBulkSize);
  for (int i = 0; i < 4; ++i) push(2, kBulkSize);

  Peers peers = take_peers();

  // At most two in a row, by the deficit that is left.
  for (std::size_t i = 2; i < peers.size(); ++i) {
    EXPECT_FALSE(peers[i] == peers[i - 1] && peers[i] == peers[i - 2]) << i;
  }
}

TEST_F(FairQueueTest, KeepsAPeersSinglePacketsTogetherForATrain) {
  for (std::uint32_t i = 0; i < 60; ++i) push(1 + i % 3, 1400);

  const Peers peers = take_peers();

  for (std::size_t i = 0; i < peers.size(); ++i) EXPECT_EQ(peers[i], 1 + i / 20);
}

TEST_F(FairQueueTest, AQuietPeersPacketOvertakesABulkTransfer) {
  for (int i = 0; i < 60; ++i) push(1, kBulkSize);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take()->peer.value, 1u);

  push(2, 200);

  EXPECT_EQ(take()->peer.value, 2u);
  EXPECT_EQ(take()->peer.value, 1u);
}

TEST_F(FairQueueTest, APeerThatSendsAgainAndAgainIsNotTakenForQuiet) {
  for (int i = 0; i < 60; ++i) push(1, kBulkSize);
  std::map<std::uint32_t, std::int64_t> bytes;
  take();

  // Peer 2 sends a super-packet as soon as its last has left.
  for (int i = 0; i < 40; ++i) {
    if (next_slot_ < 128) push(2, kBulkSize);
    const auto frame = take();
    bytes[frame->peer.value] += frame->size;
  }

  EXPECT_NEAR(static_cast<double>(bytes[1]), static_cast<double>(bytes[2]), 3.0 * kBulkSize);
}

// Peers whose ids differ by a power of two meet in the table of flows.
TEST_F(FairQueueTest, TakesNoPeerForAnother) {
  for (const std::uint32_t other : {256u, 512u, 1024u, 4096u}) {
    next_slot_ = 0;
    for (int i = 0; i < 10; ++i) push(1, kBulkSize);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(take()->peer.value, 1u);

    push(1 + other, 200);

    EXPECT_EQ(take()->peer.value, 1 + other) << other;
    take_peers();
  }
}

TEST_F(FairQueueTest, KeepsOutletsApart) {
  queue_ = FairQueue({.frames_max = 128, .outlet_count = 2});
  queue_.push({.slot = 0, .size = 100, .peer = {1}, .outlet = 1});
  queue_.push({.slot = 1, .size = 100, .peer = {1}, .outlet = 0});

  EXPECT_EQ(queue_.front(0)->slot, 1u);
  EXPECT_EQ(queue_.front(1)->slot, 0u);
  queue_.pop(1);
  EXPECT_EQ(queue_.front(1), nullptr);
  EXPECT_EQ(queue_.frame_count(), 1u);
}

TEST_F(FairQueueTest, ShedsNothingWithinTheBounds) {
  for (std::uint32_t i = 0; i < 60; ++i) push(i % 7, kBulkSize);

  EXPECT_FALSE(queue_.shed(kStart + 20ms).has_value());
  EXPECT_EQ(take_peers().size(), 60u);
}

TEST_F(FairQueueTest, ShedsTheOldestOfTheGreediestPeerWhenThereAreTooManyFrames) {
  push(7, 60);
  for (int i = 0; i < 100; ++i) push(1, 1400);

  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto shed = queue_.shed(kStart);
    ASSERT_TRUE(shed.has_value());
    EXPECT_EQ(shed->reason, Drop::QueueOverflow);
    EXPECT_EQ(shed->frame.peer, PeerId{1});
    EXPECT_EQ(shed->frame.slot, 1 + i);
  }
  EXPECT_FALSE(queue_.shed(kStart).has_value());
  EXPECT_EQ(queue_.frame_count(), 96u);
}

TEST_F(FairQueueTest, ShedsTheOldestOfTheGreediestPeerWhenThereAreTooManyBytes) {
  for (int i = 0; i < 20; ++i) push(1, 60);
  for (int i = 0; i < 70; ++i) push(2, kBulkSize);

  while (const auto shed = queue_.shed(kStart)) EXPECT_EQ(shed->frame.peer, PeerId{2});

  EXPECT_LE(queue_.byte_count(), std::size_t{4 << 20});
  EXPECT_GT(queue_.byte_count() + kBulkSize, std::size_t{4 << 20});
}

TEST_F(FairQueueTest, ShedsWhatHasWaitedForTooLong) {
  push(1, 100, kStart);
  push(2, 100, kStart + 10ms);
  push(1, 100, kStart + 15ms);

  EXPECT_FALSE(queue_.shed(kStart + 20ms).has_value());
  const auto first = queue_.shed(kStart + 31ms);
  const auto second = queue_.shed(kStart + 31ms);

  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->reason, Drop::Sojourn);
  EXPECT_EQ(first->frame.slot, 0u);
  EXPECT_EQ(second->frame.slot, 1u);
  EXPECT_FALSE(queue_.shed(kStart + 31ms).has_value());
  EXPECT_EQ(take()->slot, 2u);
}

TEST_F(FairQueueTest, HasRoomForEveryPeerHoweverManyThereWere) {
  for (std::uint32_t round = 0; round < 1000; ++round) {
    next_slot_ = 0;
    for (std::uint32_t i = 0; i < 128; ++i) push(round * 100 + i, 100);
    for (std::uint32_t i = 0; i < 128; ++i) ASSERT_TRUE(take().has_value());
  }
}

// Under overload each peer that always has frames gets its share, whatever sizes they have.
TEST_F(FairQueueTest, SharesTheLinkEquallyAmongPeersOfAnyFrameSize) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    FairQueue queue({.frames_max = 128});
    const std::uint32_t peer_count = 2 + static_cast<std::uint32_t>(random.next() % 6);
    std::vector<std::uint32_t> sizes(peer_count);
    for (auto& size : sizes) size = 5'000 + static_cast<std::uint32_t>(random.next() % 56'000);
    std::vector<std::uint32_t> free;
    for (std::uint32_t i = 0; i < 128; ++i) free.push_back(i);
    const auto push_one = [&](std::uint32_t peer) {
      queue.push({.slot = free.back(), .size = sizes[peer], .peer = {peer}});
      free.pop_back();
    };
    for (int i = 0; i < 15; ++i) {
      for (std::uint32_t peer = 0; peer < peer_count; ++peer) push_one(peer);
    }

    std::vector<double> bytes(peer_count);
    for (int i = 0; i < 5000; ++i) {
      const FairQueue::Frame frame = *queue.front(0);
      queue.pop(0);
      free.push_back(frame.slot);
      bytes[frame.peer.value] += frame.size;
      push_one(frame.peer.value);
    }

    const auto [least, most] = std::ranges::minmax(bytes);
    EXPECT_LE(most - least, 2.0 * FairQueue::kQuantum + 2.0 * kBulkSize);
  }
}

TEST_F(FairQueueTest, IsContendedForAWhileAfterAnotherPeersFrame_C09) {
  push(1, 1400);
  push(1, 1400);
  EXPECT_FALSE(queue_.is_contended(kStart));

  push(2, 100, kStart + 1s);

  EXPECT_TRUE(queue_.is_contended(kStart + 1s));
  EXPECT_FALSE(queue_.is_contended(kStart + 1s + FairQueue::kContention));
}

// Against a plain model: every frame comes out once, by pop or by shed, and in its peer's order.
TEST_F(FairQueueTest, LosesAndReordersNothingWhateverHappens) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    test::SeededRandom random(seed);
    FairQueue queue({.frames_max = 64,
                     .outlet_count = 2,
                     .kept_frames_max = 48,
                     .kept_bytes_max = 600'000,
                     .sojourn_max = 20ms});
    std::map<std::pair<std::uint32_t, std::uint8_t>, std::vector<std::uint32_t>> waiting;
    std::vector<std::uint32_t> free;
    for (std::uint32_t i = 0; i < 64; ++i) free.push_back(i);
    std::size_t bytes = 0;
    Instant now = kStart;
    const auto expect_oldest = [&](const FairQueue::Frame& frame) {
      auto& slots = waiting[{frame.peer.value, frame.outlet}];
      ASSERT_FALSE(slots.empty());
      EXPECT_EQ(slots.front(), frame.slot);
      slots.erase(slots.begin());
      free.push_back(frame.slot);
      bytes -= frame.size;
    };
    for (int step = 0; step < 3000; ++step) {
      now = now + std::chrono::microseconds(random.next() % 2000);
      if (!free.empty() && random.happens(0.55)) {
        const FairQueue::Frame frame{.slot = free.back(),
                                     .size = static_cast<std::uint32_t>(1 + random.next() % 64'000),
                                     .peer = {static_cast<std::uint32_t>(random.next() % 200)},
                                     .outlet = static_cast<std::uint8_t>(random.next() % 2),
                                     .since = now};
        free.pop_back();
        queue.push(frame);
        waiting[{frame.peer.value, frame.outlet}].push_back(frame.slot);
        bytes += frame.size;
      } else if (random.happens(0.7)) {
        const auto outlet = static_cast<std::uint8_t>(random.next() % 2);
        if (const FairQueue::Frame* const front = queue.front(outlet)) {
          const FairQueue::Frame frame = *front;
          queue.pop(outlet);
          expect_oldest(frame);
        }
      } else {
        while (const auto shed = queue.shed(now)) expect_oldest(shed->frame);
        EXPECT_LE(queue.frame_count(), 48u);
        EXPECT_LE(queue.byte_count(), 600'000u);
      }
      ASSERT_EQ(queue.byte_count(), bytes);
      ASSERT_EQ(queue.frame_count(), 64 - free.size());
    }
  }
}

}  // namespace
}  // namespace ringway
