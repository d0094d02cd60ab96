#include "dataplane/tun_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "base/check.h"
#include "base/unique_fd.h"
#include "tests/support/patience.h"
#include "tests/tun/coalesced.h"

/// The writer on a real ring. In the place of the TUN is a socket that keeps the bounds of each
/// write, so that the test sees what a TUN would get; tests/dataplane/uplink_worker_test.cc asks
/// a TUN itself.
namespace ringway {
namespace {

using test::counting_bytes;
using test::Packet;
using Hold = TunWriter::Hold;

constexpr TunOffloads kAll{.checksum = true, .tcp = true, .udp = true};
constexpr std::size_t kPayload = 1000;

class TunWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    tun_ = UniqueFd(ends[0]);
    host_ = UniqueFd(ends[1]);
    ASSERT_TRUE(ring_.open({}));
    use(kAll);
  }
  void TearDown() override {
    if (ring_.in_flight() == 0) return;
    ASSERT_TRUE(ring_.cancel_all({.operation = Operation::Cancel}));
    while (ring_.in_flight() > 0) turn();
    EXPECT_TRUE(writer_->has_room());
  }

  void use(const TunOffloads& offloads) {
    counters_ = std::make_unique<Counters>();
    writer_ = std::make_unique<TunWriter>(
        TunWriter::Settings{.fd = tun_.get(), .offloads = offloads}, *counters_);
  }

  /// One buffer that brings these packets, each behind the room for its virtio header.
  void add_buffer(const std::vector<Packet>& packets, std::uint32_t slot, std::uint8_t ecn = 0) {
    ASSERT_TRUE(writer_->has_room());
    writer_->begin_buffer(ring_);
    for (const Packet& packet : packets) {
      Packet& frame = frames_.emplace_back(kVnetHeaderSize, std::uint8_t{0xee});
      frame.insert(frame.end(), packet.begin(), packet.end());
      const auto ip = parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize));
      ASSERT_TRUE(ip.has_value());
      ASSERT_TRUE(writer_->add(frame, *ip, ecn));
    }
    writer_->end_buffer({.kind = Hold::Kind::ReceiveBuffer, .slot = slot}, ring_);
  }

  /// Submits and hands completions over, with `result` in the place of their own if it is given.
  void turn(std::optional<std::int32_t> result = {}) {
    ASSERT_EQ(ring_.submit_and_wait(std::chrono::milliseconds(10)), 0);
    std::array<Completion, 256> some;
    const std::size_t count = ring_.collect(some);
    for (Completion& completion : std::span(some).first(count)) {
      if (completion.tag.operation == Operation::Cancel) continue;
      if (result && completion.tag.operation == Operation::TunWrite) completion.result = *result;
      writer_->note_written(completion, ring_);
    }
    while (const auto hold = writer_->poll_released()) released_.push_back(hold->slot);
  }
  void finish(std::optional<std::int32_t> result = {}) {
    writer_->submit(ring_);
    for (int i = 0; i < 1000 && ring_.in_flight() > 0; ++i) turn(result);
    ASSERT_EQ(ring_.in_flight(), 0u);
  }

  /// What the TUN got, one element a write.
  std::vector<test::Frame> written() const {
    std::vector<test::Frame> frames;
    Packet bytes(70000);
    for (;;) {
      const ssize_t size = ::read(host_.get(), bytes.data(), bytes.size());
      if (size < 0) return frames;
      const Bytes frame = Bytes(bytes).first(static_cast<std::size_t>(size));
      const auto header = parse_vnet_header(frame);
      if (!header) return {};
      frames.push_back({.header = *header, .packet = {frame.begin() + 10, frame.end()}});
    }
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return counters_->snapshot().of(counter);
  }
  [[nodiscard]] std::uint64_t lost() const {
    return counters_->snapshot().of(Drop::TunWriteFailed);
  }

  /// A train of one TCP flow.
  static std::vector<Packet> tcp_train(std::size_t count, std::size_t sequence = 1000,
                                       std::uint16_t port = 40000) {
    std::vector<Packet> packets;
    for (std::size_t i = 0; i < count; ++i) {
      packets.push_back(test::tcp_packet(
          true, counting_bytes(kPayload, static_cast<std::uint8_t>(i)),
          {.source_port = port, .sequence = static_cast<std::uint32_t>(sequence + i * kPayload)},
          {.identification = static_cast<std::uint16_t>(sequence / kPayload + i)}));
    }
    return packets;
  }
  /// Takes all room that the socket has for writes.
  void fill_socket() const {
    const Packet some(4096);
    while (::write(tun_.get(), some.data(), some.size()) > 0) continue;
  }
  void empty_socket() const {
    Packet some(4096);
    while (::read(host_.get(), some.data(), some.size()) > 0) continue;
  }

  UniqueFd tun_;
  UniqueFd host_;
  std::unique_ptr<Counters> counters_;
  Ring ring_;
  std::unique_ptr<TunWriter> writer_;
  std::deque<Packet> frames_;
  std::vector<std::uint32_t> released_;
};

TEST_F(TunWriterTest, WritesATrainAsOneSuperPacket) {
  const auto packets = tcp_train(40);
  add_buffer(packets, 7);

  finish();

  const auto frames = written();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].header.gso_type, GsoType::TcpV4);
  EXPECT_TRUE(test::cut(frames) == packets);
  EXPECT_EQ(released_, std::vector<std::uint32_t>{7});
  EXPECT_EQ(count(Counter::TunWrittenFrames), 1u);
  EXPECT_EQ(count(Counter::TunSentPackets), 40u);
  EXPECT_EQ(count(Counter::TunMergedPackets), 40u);
  EXPECT_EQ(count(Counter::TunSentBytes), 40u * 1040);
}

TEST_F(TunWriterTest, WritesPacketsByThemselvesWithoutOffloads) {
  use({});
  const auto packets = tcp_train(40);
  add_buffer(packets, 7);

  finish();

  const auto frames = written();
  ASSERT_EQ(frames.size(), 40u);
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].packet, packets[i]);
  EXPECT_EQ(count(Counter::TunSentPackets), 40u);
  EXPECT_EQ(count(Counter::TunMergedPackets), 0u);
  EXPECT_EQ(count(Counter::TunSentBytes), 40u * 1040);
}

TEST_F(TunWriterTest, PutsPacketsOfSeveralBuffersTogetherAndHoldsAllOfThem_E01) {
  const auto packets = tcp_train(40);
  for (std::uint32_t i = 0; i < 40; ++i) add_buffer({packets[i]}, i);
  fill_socket();
  writer_->submit(ring_);
  turn();
  EXPECT_TRUE(released_.empty()) << "the write is in flight";
  empty_socket();

  while (ring_.in_flight() > 0) turn();

  EXPECT_EQ(released_.size(), 40u);
  EXPECT_TRUE(test::cut(written()) == packets);
  EXPECT_EQ(count(Counter::TunWrittenFrames), 1u);
}

TEST_F(TunWriterTest, NeverMergesWhatDiffersInOuterEcn) {
  const auto packets = tcp_train(4);
  add_buffer({packets[0], packets[1]}, 0, 0);
  add_buffer({packets[2], packets[3]}, 1, 3);

  finish();

  EXPECT_EQ(written().size(), 2u);
}

// Unlike a TUN, a socket that is full makes writes wait, which may end in any order.
TEST_F(TunWriterTest, KeepsTheOrderOfAFlowAcrossBatches) {
  const int ample = 16 << 20;
  ASSERT_EQ(::setsockopt(tun_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &ample, sizeof ample), 0);
  std::vector<Packet> sent;
  std::vector<Packet> received;
  const auto receive = [&] {
    const auto some = test::cut(written());
    received.insert(received.end(), some.begin(), some.end());
  };
  for (std::uint32_t i = 0; i < 400; ++i) {
    const auto packets = tcp_train(8, 1000 + i * 8 * kPayload);
    sent.insert(sent.end(), packets.begin(), packets.end());
    while (!writer_->has_room()) {
      turn();
      receive();
    }
    add_buffer(packets, i);
  }
  writer_->submit(ring_);
  while (ring_.in_flight() > 0) {
    turn();
    receive();
  }

  EXPECT_TRUE(received == sent);
  EXPECT_EQ(released_.size(), 400u);
  EXPECT_LT(count(Counter::TunWrittenFrames), 100u);
}

TEST_F(TunWriterTest, HasNoRoomWhileAllBatchesAreInFlightAndLosesNothing_E01) {
  fill_socket();
  std::uint32_t buffers = 0;
  while (writer_->has_room()) {
    add_buffer(tcp_train(8, 1000 + buffers * 8 * kPayload), buffers);
    ++buffers;
  }
  EXPECT_GE(buffers * 8 * kPayload, TunWriter::kBatches * (TunWriter::kBatchBytes - 10000));
  EXPECT_LE(ring_.in_flight(), TunWriter::kWritesMax);
  turn();
  EXPECT_FALSE(writer_->has_room());

  empty_socket();
  std::vector<Packet> packets;
  while (ring_.in_flight() > 0) {
    turn();
    const auto some = test::cut(written());
    packets.insert(packets.end(), some.begin(), some.end());
  }

  EXPECT_TRUE(writer_->has_room());
  EXPECT_EQ(packets.size(), buffers * 8u);
  EXPECT_EQ(released_.size(), buffers);
  EXPECT_EQ(lost(), 0u);
}

TEST_F(TunWriterTest, WritesARefusedSuperPacketAgainPacketByPacket) {
  const auto packets = tcp_train(20);
  add_buffer(packets, 7);

  finish(-EINVAL);

  // The first frame is the one that the test says was refused.
  auto frames = written();
  ASSERT_EQ(frames.size(), 21u);
  frames.erase(frames.begin());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_FALSE(frames[i].header.is_gso());
    EXPECT_EQ(frames[i].packet, packets[i]);
  }
  EXPECT_EQ(count(Counter::TunRefusedFrames), 1u);
  EXPECT_EQ(count(Counter::TunSentPackets), 20u);
  EXPECT_EQ(count(Counter::TunSentBytes), 20u * 1040);
  EXPECT_EQ(released_, std::vector<std::uint32_t>{7});
  EXPECT_EQ(lost(), 0u);
}

TEST_F(TunWriterTest, StopsMergingForAWhileWhenRefusalsGoOn) {
  for (std::uint32_t i = 0; i < TunWriter::kRefusalsMax; ++i) {
    EXPECT_TRUE(writer_->merging().tcp);
    add_buffer(tcp_train(2), i);
    finish(-EINVAL);
  }
  EXPECT_FALSE(writer_->merging().tcp);
  EXPECT_TRUE(writer_->merging().udp);
  EXPECT_EQ(count(Counter::TunMergingPauses), 1u);
  written();
  add_buffer(tcp_train(2), 0);
  finish();
  EXPECT_EQ(written().size(), 2u);

  for (std::uint32_t i = 0; i < TunWriter::kPauseTicks; ++i) writer_->note_tick();

  EXPECT_TRUE(writer_->merging().tcp);
}

TEST_F(TunWriterTest, GoesOnMergingWhenRefusalsAreFew) {
  for (std::uint32_t i = 0; i < 3 * TunWriter::kRefusalsMax; ++i) {
    add_buffer(tcp_train(2), i);
    finish(i % 2 == 0 ? std::optional(-EINVAL) : std::nullopt);
    written();
  }

  EXPECT_TRUE(writer_->merging().tcp);
}

TEST_F(TunWriterTest, CountsEveryPacketOfAWriteThatFailed_F05) {
  for (const int error : {EIO, EAGAIN, ENOBUFS, ENOMEM}) {
    use(kAll);
    released_.clear();
    add_buffer(tcp_train(20), 7);

    finish(-error);

    EXPECT_EQ(lost(), 20u);
    EXPECT_EQ(counters_->snapshot().tun_write_errors[io_error_index(error)], 1u);
    EXPECT_EQ(released_, std::vector<std::uint32_t>{7});
  }
}

TEST_F(TunWriterTest, CountsAShortWriteAsLost) {
  add_buffer(tcp_train(20), 7);
  finish(100);
  EXPECT_EQ(lost(), 20u);
  add_buffer(tcp_train(1), 8);
  finish(3);
  EXPECT_EQ(lost(), 21u);
  EXPECT_EQ(count(Counter::TunSentPackets), 0u);
}

TEST_F(TunWriterTest, TakesOnlySoManyPacketsOfOneBuffer) {
  Packet frame(kVnetHeaderSize);
  const Packet packet = test::udp_packet(true, counting_bytes(10));
  frame.insert(frame.end(), packet.begin(), packet.end());
  const auto ip = parse_ip_packet(Bytes(frame).subspan(kVnetHeaderSize));
  writer_->begin_buffer(ring_);

  for (std::size_t i = 0; i < TunWriter::kBufferPacketsMax; ++i) {
    ASSERT_TRUE(writer_->add(frame, *ip, 0));
  }
  EXPECT_FALSE(writer_->add(frame, *ip, 0));

  writer_->end_buffer({.slot = 1}, ring_);
  finish();
  EXPECT_EQ(released_.size(), 1u);
}

TEST_F(TunWriterTest, GivesBuffersBackWhenWritesAreCancelled_E01) {
  fill_socket();
  add_buffer(tcp_train(20), 7);
  writer_->submit(ring_);
  turn();
  ASSERT_EQ(ring_.in_flight(), 1u);

  ASSERT_TRUE(ring_.cancel_all({.operation = Operation::Cancel}));
  while (ring_.in_flight() > 0) turn();

  EXPECT_EQ(released_, std::vector<std::uint32_t>{7});
  EXPECT_EQ(lost(), 20u);
  // The device has not failed.
  const CounterSnapshot counters = counters_->snapshot();
  EXPECT_TRUE(std::ranges::all_of(counters.tun_write_errors,
                                  [](std::uint64_t errors) { return errors == 0; }));
}

// What the kernel reads must not move while a batch grows (E01): the writer asserts that it does
// not, however many batches there were.
TEST_F(TunWriterTest, StartsEachBatchWithAllItsRoom_E01) {
  for (std::uint32_t i = 0; i < 3 * Coalescer::kPacketsMax / 40; ++i) {
    add_buffer(tcp_train(40, 1000 + i * 40 * kPayload), i);
    finish();
    written();
    frames_.clear();
  }

  EXPECT_EQ(lost(), 0u);
}

}  // namespace
}  // namespace ringway
