#include "dataplane/tun_reader.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "base/check.h"
#include "base/unique_fd.h"
#include "tun/vnet_header.h"

/// The reader on a real ring. In the place of the TUN is a socket that keeps the bounds of each
/// write; tests/dataplane/worker_test.cc reads from a TUN.
namespace ringway {
namespace {

using Packet = std::vector<std::uint8_t>;

/// With multishot reads, and without, as on Linux before 6.7.
class TunReaderTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    tun_ = UniqueFd(ends[0]);
    host_ = UniqueFd(ends[1]);
    ASSERT_TRUE(ring_.open({}));
  }
  void TearDown() override {
    ring_.drain([this](const Completion& completion) {
      if (completion.tag.operation == Operation::TunRead) reader_->reclaim(completion);
    });
    EXPECT_EQ(ring_.in_flight(), 0u);
  }
  void open(const TunOffloads& offloads = {}) {
    reader_ = std::make_unique<TunReader>(
        TunReader::Settings{
            .budget = 1, .packet_size_max = 1500, .offloads = offloads, .multishot = GetParam()},
        counters_);
    ASSERT_TRUE(reader_->open(ring_));
    reader_->attach(tun_.get());
    reader_->arm(ring_);
  }
  void write(const Packet& frame) const {
    ASSERT_EQ(::write(host_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
  void turn() {
    ASSERT_EQ(ring_.submit_and_wait(std::chrono::milliseconds(20)), 0);
    std::array<Completion, 64> some;
    const std::size_t count = ring_.collect(some);
    for (const Completion& completion : std::span(some).first(count)) {
      if (const auto frame = reader_->note_read(completion)) frames_.push_back(*frame);
    }
  }
  /// The next frame, which keeps its buffer.
  TunReader::Frame next() {
    for (int i = 0; i < 100 && frames_.empty(); ++i) {
      turn();
      reader_->arm(ring_);
    }
    RW_ASSERT(!frames_.empty());
    const TunReader::Frame frame = frames_.front();
    frames_.pop_front();
    return frame;
  }

  UniqueFd tun_;
  UniqueFd host_;
  Counters counters_;
  Ring ring_;
  std::unique_ptr<TunReader> reader_;
  std::deque<TunReader::Frame> frames_;
};

TEST_P(TunReaderTest, ReadsFrameByFrameAndAgainWhenBuffersComeBack_E03) {
  open();
  // More than there are buffers, and than single reads.
  for (std::uint8_t i = 0; i < 40; ++i) {
    write(Packet(kVnetHeaderSize + 1u, i));

    const TunReader::Frame frame = next();

    EXPECT_TRUE(std::ranges::equal(frame.bytes, Packet(kVnetHeaderSize + 1u, i)));
    reader_->buffers().give_back(frame.buffer);
  }
}

TEST_P(TunReaderTest, TakesNoMoreThanThereAreBuffers_E03) {
  open();
  const std::size_t buffers = reader_->count();
  for (std::uint8_t i = 0; i < buffers + 2; ++i) write(Packet(20, i));
  for (int i = 0; i < 5; ++i) {
    turn();
    reader_->arm(ring_);
  }
  EXPECT_EQ(frames_.size(), buffers);

  for (const TunReader::Frame& frame : frames_) reader_->buffers().give_back(frame.buffer);
  frames_.clear();
  reader_->arm(ring_);

  std::vector<std::uint8_t> rest{next().bytes[0], next().bytes[0]};
  std::ranges::sort(rest);
  EXPECT_EQ(rest[0], buffers);
  EXPECT_EQ(rest[1], buffers + 1);
}

TEST_P(TunReaderTest, ShowsAFrameThatIsTooLarge_F01) {
  open();
  write(Packet(kVnetHeaderSize + 1600, 1));

  EXPECT_EQ(next().bytes.size(), kVnetHeaderSize + 1501u);
}

TEST_P(TunReaderTest, HasRoomForSuperPacketsWithOffloads) {
  open({.checksum = true, .tcp = true});
  write(Packet(kVnetHeaderSize + 65'000, 1));

  EXPECT_EQ(next().bytes.size(), kVnetHeaderSize + 65'000u);
}

TEST_P(TunReaderTest, ReadsNothingBeforeThereIsAQueue) {
  reader_ = std::make_unique<TunReader>(
      TunReader::Settings{.budget = 1, .packet_size_max = 1500, .multishot = GetParam()},
      counters_);
  ASSERT_TRUE(reader_->open(ring_));

  reader_->arm(ring_);

  EXPECT_EQ(ring_.in_flight(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Reads, TunReaderTest, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "Multishot" : "Single"; });

}  // namespace
}  // namespace ringway
