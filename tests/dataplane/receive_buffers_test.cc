#include "dataplane/receive_buffers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include "base/check.h"
#include "tests/dataplane/link_client.h"

namespace ringway {
namespace {

using test::ip;
using test::LinkClient;

constexpr RequestTag kReceive{.operation = Operation::LinkReceive};

/// A ring that receives from a socket into eight buffers of 1,000 bytes.
class ReceiveBuffersTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBufferSize = 1024;
  static constexpr std::size_t kCount = 8;

  static void SetUpTestSuite() { test::run("ip link set lo up"); }

  void SetUp() override {
    auto group = open_udp_sockets({.port = 0}, 1);
    ASSERT_TRUE(group);
    sockets_ = std::move(group->sockets);
    ASSERT_TRUE(ring_.open({}));
    ASSERT_TRUE(buffers_.open(ring_));
    header_.msg_namelen = kSocketNameSize;
    header_.msg_controllen = kSocketControlSize;
    client_.emplace(Endpoint{ip("::1"), sockets_[0].local().port});
    arm();
  }
  void TearDown() override {
    ASSERT_TRUE(ring_.cancel_all({.operation = Operation::Cancel}));
    while (ring_.in_flight() > 0) static_cast<void>(next());
  }

  void arm() { ASSERT_TRUE(ring_.receive_messages(kReceive, sockets_[0].fd(), header_, 0)); }
  Completion next() {
    while (completions_.empty()) {
      RW_ASSERT(ring_.submit_and_wait(1s) == 0);
      std::array<Completion, 64> some;
      const std::size_t taken = ring_.collect(some);
      completions_.insert(completions_.end(), some.begin(),
                          some.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    const Completion first = completions_.front();
    completions_.pop_front();
    return first;
  }

  std::vector<UdpSocket> sockets_;
  Ring ring_;
  ReceiveBuffers buffers_{{.group = 0, .budget = kCount * kBufferSize, .buffer_size = kBufferSize}};
  msghdr header_{};
  std::optional<LinkClient> client_;
  std::deque<Completion> completions_;
};

TEST_F(ReceiveBuffersTest, OneRequestReceivesManyDatagrams) {
  ASSERT_EQ(buffers_.count(), kCount);
  for (std::uint8_t i = 1; i < 20; ++i) {
    client_->send(std::vector<std::uint8_t>(i, i));
    const Completion completion = next();
    ASSERT_TRUE(completion.more);
    ASSERT_TRUE(completion.buffer.has_value());

    const auto message = parse_received_message(
        buffers_.take(*completion.buffer, static_cast<std::size_t>(completion.result)));
    ASSERT_TRUE(message.has_value());
    EXPECT_FALSE(message->truncated);
    EXPECT_TRUE(std::ranges::equal(message->payload, std::vector<std::uint8_t>(i, i)));
    const auto from = decode_link_endpoint(message->name, message->control, 0);
    ASSERT_TRUE(from.has_value());
    EXPECT_EQ(from->remote, client_->local());
    EXPECT_EQ(from->local, ip("::1"));

    buffers_.give_back(*completion.buffer);
    buffers_.publish();
    EXPECT_EQ(buffers_.available(), kCount);
  }
}

/// Large buffers, of which a few are enough.
TEST(ReceiveBuffers, CirculateInASmallSetWhenTheyComeBackFull) {
  constexpr std::size_t kSize = 65'536;
  constexpr std::size_t kAll = 32;
  Ring ring;
  ASSERT_TRUE(ring.open({}));
  ReceiveBuffers buffers({.budget = kAll * kSize, .buffer_size = kSize, .header_size = 10});
  ASSERT_TRUE(buffers.open(ring));
  EXPECT_EQ(buffers.available(), kAll);

  // The kernel's part is played here: it fills buffer after buffer, in the order of its ring.
  std::deque<std::uint16_t> at_kernel;
  for (std::uint16_t id = 0; id < kAll; ++id) at_kernel.push_back(id);
  for (int i = 0; i < 200 && !at_kernel.empty(); ++i) {
    const std::uint16_t id = at_kernel.front();
    at_kernel.pop_front();
    const MutableBytes filled = buffers.take(id, kSize);
    EXPECT_EQ((reinterpret_cast<std::uintptr_t>(filled.data()) + 10) % BufferSlots::kAlignment, 0u);
    buffers.give_back(id);
    const std::size_t before = buffers.available();
    buffers.publish();
    if (buffers.available() > before) at_kernel.push_back(id);
  }

  EXPECT_EQ(buffers.available(), HotSet::kBuffersMin);
  buffers.publish(16);
  EXPECT_EQ(buffers.available(), 16u);
}

TEST_F(ReceiveBuffersTest, EndsWithoutBuffersAndGoesOnWhenThereAreSome_E03) {
  for (std::uint8_t i = 0; i < kCount + 2; ++i) client_->send(std::vector<std::uint8_t>(1, i));
  std::vector<std::uint16_t> taken;
  for (std::size_t i = 0; i < kCount; ++i) {
    const Completion completion = next();
    ASSERT_TRUE(completion.buffer.has_value());
    buffers_.take(*completion.buffer, 0);
    taken.push_back(*completion.buffer);
  }
  const Completion ended = next();
  EXPECT_EQ(ended.result, -ENOBUFS);
  EXPECT_FALSE(ended.more);
  EXPECT_EQ(buffers_.available(), 0u);

  for (const std::uint16_t buffer : taken) buffers_.give_back(buffer);
  EXPECT_EQ(buffers_.available(), 0u);
  buffers_.publish();
  EXPECT_EQ(buffers_.available(), kCount);
  arm();

  // What came in the meantime has waited in the socket.
  for (std::uint8_t i = kCount; i < kCount + 2; ++i) {
    const Completion completion = next();
    ASSERT_TRUE(completion.buffer.has_value());
    const auto message = parse_received_message(
        buffers_.take(*completion.buffer, static_cast<std::size_t>(completion.result)));
    EXPECT_EQ(message->payload[0], i);
  }
}

TEST_F(ReceiveBuffersTest, EndsAtAnEmptyDatagram_E04) {
  client_->send({});

  const Completion completion = next();

  ASSERT_TRUE(completion.buffer.has_value());
  const auto message = parse_received_message(
      buffers_.take(*completion.buffer, static_cast<std::size_t>(completion.result)));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->payload.size(), 0u);
  EXPECT_FALSE(completion.more);
}

TEST_F(ReceiveBuffersTest, MarksADatagramThatDidNotFit_E05) {
  client_->send(std::vector<std::uint8_t>(kBufferSize - kReceiveHeadroom, 1));
  client_->send(std::vector<std::uint8_t>(kBufferSize - kReceiveHeadroom + 1, 2));

  for (const bool truncated : {false, true}) {
    const Completion completion = next();
    ASSERT_TRUE(completion.buffer.has_value());
    const auto message = parse_received_message(
        buffers_.take(*completion.buffer, static_cast<std::size_t>(completion.result)));
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(message->truncated, truncated);
  }
}

using ReceiveBuffersDeathTest = ReceiveBuffersTest;

TEST_F(ReceiveBuffersDeathTest, EndsTheProcessWhenABufferIsNotTheUsers_E01) {
  EXPECT_DEATH(buffers_.give_back(0), "owners_\\[slot\\] == from");
  EXPECT_DEATH(buffers_.take_back(0), "owners_\\[slot\\] == from");

  client_->send(std::vector<std::uint8_t>(1, 1));
  const Completion completion = next();
  ASSERT_TRUE(completion.buffer.has_value());
  const std::uint16_t buffer = *completion.buffer;
  buffers_.take(buffer, 0);
  EXPECT_DEATH(buffers_.take(buffer, 0), "owners_\\[slot\\] == from");

  // A buffer whose packet is on its way into the TUN stays out of the kernel's ring.
  buffers_.lend(buffer);
  EXPECT_DEATH(buffers_.give_back(buffer), "owners_\\[slot\\] == from");
  buffers_.take_back(buffer);
  buffers_.give_back(buffer);
}

std::vector<std::uint8_t> received_message(std::uint32_t name_size, std::uint32_t control_size,
                                           std::uint32_t payload_size, std::uint32_t flags) {
  const std::array<std::uint32_t, 4> header = {name_size, control_size, payload_size, flags};
  std::vector<std::uint8_t> filled(kReceiveHeadroom + 10);
  std::memcpy(filled.data(), header.data(), sizeof header);
  return filled;
}

TEST(ReceivedMessage, RefusesEveryTruncation_E05) {
  auto filled = received_message(28, 40, 10, 0);
  ASSERT_TRUE(parse_received_message(filled).has_value());

  for (std::size_t size = 0; size < filled.size(); ++size) {
    EXPECT_FALSE(parse_received_message(MutableBytes(filled).first(size)).has_value()) << size;
  }
}

TEST(ReceivedMessage, RefusesSizesThatContradictTheBuffer_E05) {
  for (auto filled :
       {received_message(33, 40, 10, 0), received_message(28, kSocketControlSize + 1, 10, 0),
        received_message(28, 40, 11, 0), received_message(28, 40, 9, 0),
        received_message(0xffff'ffff, 40, 10, 0), received_message(28, 0xffff'ffff, 10, 0)}) {
    EXPECT_FALSE(parse_received_message(filled).has_value());
  }
}

TEST(ReceivedMessage, SaysWhenTheKernelCutSomethingOff_E05) {
  for (const int flag : {MSG_TRUNC, MSG_CTRUNC}) {
    auto filled = received_message(28, 40, 10, static_cast<std::uint32_t>(flag));
    ASSERT_TRUE(parse_received_message(filled).has_value());
    EXPECT_TRUE(parse_received_message(filled)->truncated);
  }
}

}  // namespace
}  // namespace ringway
