#include "dataplane/stream_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/stream_framing.h"

namespace ringway {
namespace {

class StreamOutputTest : public ::testing::Test {
 protected:
  /// False when there is no room.
  bool add(std::size_t size, std::uint8_t fill) {
    const MutableBytes room = output_.reserve(size);
    if (room.empty()) return false;
    std::ranges::fill(room, fill);
    output_.commit();
    std::vector<std::uint8_t> frame(kFrameHeaderSize + size, fill);
    write_frame_header(frame, size);
    expected_.insert(expected_.end(), frame.begin(), frame.end());
    return true;
  }
  /// A send that takes `at_most` bytes.
  void send(std::size_t at_most = SIZE_MAX) {
    const Bytes bytes = output_.to_send();
    ASSERT_FALSE(bytes.empty());
    output_.note_prepared();
    EXPECT_TRUE(output_.to_send().empty()) << "one send at a time";
    const std::size_t size = std::min(at_most, bytes.size());
    sent_.insert(sent_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    output_.note_sent(size);
  }

  StreamChunks chunks_;
  StreamOutput output_{chunks_};
  std::vector<std::uint8_t> expected_;
  std::vector<std::uint8_t> sent_;
};

TEST_F(StreamOutputTest, PutsManyDatagramsIntoOneSend) {
  ASSERT_TRUE(add(3, 7));
  ASSERT_TRUE(add(1400, 8));

  send();

  EXPECT_EQ(sent_, expected_);
  EXPECT_EQ(sent_[1], 3);
  EXPECT_TRUE(output_.is_empty());
}

TEST_F(StreamOutputTest, GoesOnWhereASendStopped) {
  ASSERT_TRUE(add(1000, 1));
  send(1);
  ASSERT_TRUE(add(1000, 2));
  send(1001);
  while (!output_.is_empty()) send(7);

  EXPECT_EQ(sent_, expected_);
}

TEST_F(StreamOutputTest, TakesMoreWhileASendIsInFlightAndLeavesItsBytesAlone) {
  ASSERT_TRUE(add(1000, 1));
  const Bytes in_flight = output_.to_send();
  output_.note_prepared();
  while (add(1400, 2)) continue;

  EXPECT_EQ(in_flight[2], 1);
  EXPECT_EQ(in_flight[1001], 1);
  sent_.assign(in_flight.begin(), in_flight.end());
  output_.note_sent(in_flight.size());
  while (!output_.is_empty()) send();
  EXPECT_EQ(sent_, expected_);
}

TEST_F(StreamOutputTest, HasRoomForTwoChunksAndNoMore) {
  constexpr std::size_t kSize = 1400;
  while (output_.has_room(kSize)) ASSERT_TRUE(add(kSize, 1));
  EXPECT_FALSE(add(kSize, 1));
  EXPECT_LE(expected_.size(), StreamOutput::kChunksMax * StreamChunks::kSize);
  EXPECT_GT(expected_.size(), StreamOutput::kChunksMax * StreamChunks::kSize - 2 * 1500);

  // Room comes back with the first chunk that is sent whole.
  send(100);
  EXPECT_FALSE(output_.has_room(kSize));
  send();
  EXPECT_TRUE(output_.has_room(kSize));
  ASSERT_TRUE(add(kSize, 2));
  while (!output_.is_empty()) send();
  EXPECT_EQ(sent_, expected_);
}

TEST_F(StreamOutputTest, KeepsTheOrderWhenASmallDatagramWouldFitWhereALargeDidNot) {
  while (add(1400, 1)) {
    if (expected_.size() + 1402 > StreamChunks::kSize) break;
  }
  ASSERT_TRUE(add(1400, 2)) << "the second chunk";
  ASSERT_TRUE(add(3, 3));
  while (!output_.is_empty()) send();
  EXPECT_EQ(sent_, expected_);
}

TEST_F(StreamOutputTest, ForgetsWhatWasReservedAndNotCommitted) {
  ASSERT_FALSE(output_.reserve(100).empty());
  EXPECT_TRUE(output_.is_empty());
  ASSERT_TRUE(add(5, 9));
  send();
  EXPECT_EQ(sent_, expected_);
}

TEST(StreamChunks, AreUsedAgain) {
  StreamChunks chunks;
  StreamChunks::Chunk chunk = chunks.take();
  const std::uint8_t* const memory = chunk.get();
  chunks.give_back(std::move(chunk));
  EXPECT_EQ(chunks.take().get(), memory);
}

}  // namespace
}  // namespace ringway
