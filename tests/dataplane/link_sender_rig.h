#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "dataplane/link_sender.h"
#include "tests/dataplane/link_client.h"

/// A LinkSender between a real ring and a real socket of the loopback device.
namespace ringway::test {

using Datagram = std::vector<std::uint8_t>;

/// A datagram that is told from every other by its first four bytes.
inline Datagram numbered(std::uint32_t number, std::size_t size) {
  Datagram datagram(std::max(size, sizeof number), static_cast<std::uint8_t>(number * 7));
  store_be32(datagram.data(), number);
  return datagram;
}

class LinkSenderTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kDatagramSize = 1400;

  static void SetUpTestSuite() { run("ip link set lo up"); }
  /// An MTU below 1,280 takes a device out of IPv6, and a larger one does not bring it back: the
  /// tests of other suites would find no ::1.
  static void TearDownTestSuite() {
    run("ip link set lo mtu 65536");
    run("ip link set lo down");
    run("ip link set lo up");
  }

  void SetUp() override {
    open({.budget = 16 * kDatagramSize, .datagram_size_max = kDatagramSize});
  }
  void TearDown() override {
    while (ring_.in_flight() > 0) turn();
  }

  void open(const LinkSender::Settings& settings, std::uint32_t send_buffer_size = 4096) {
    client_.reset();
    sender_.reset();
    auto group = open_udp_sockets({.port = 0, .send_buffer_size = send_buffer_size}, 1);
    ASSERT_TRUE(group);
    sockets_ = std::move(group->sockets);
    if (!ring_is_open_) {
      ASSERT_TRUE(ring_.open({}));
    }
    ring_is_open_ = true;
    sender_.emplace(settings, sockets_);
    client_.emplace(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
    to_ = {.remote = client_->local(), .local = ip("127.0.0.1")};
  }
  void open_with_gso(std::size_t segments_max = GsoBatch::kSegmentsMaxOld,
                     std::uint32_t send_buffer_size = 1 << 20) {
    open({.budget = 16 * LinkSender::kTrainBufferSize,
          .datagram_size_max = 2048,
          .gso = true,
          .segments_max = segments_max},
         send_buffer_size);
  }

  /// The kernel cuts no trains of a socket that leaves UDP's checksum out.
  void forbid_trains(bool are_forbidden = true) const {
    const int value = are_forbidden ? 1 : 0;
    for (const UdpSocket& socket : sockets_) {
      ASSERT_EQ(::setsockopt(socket.fd(), SOL_SOCKET, SO_NO_CHECK, &value, sizeof value), 0);
    }
  }

  [[nodiscard]] bool send(Bytes datagram) { return sender_->send(to_, datagram); }

  /// One turn; the sum of what became of the sends that have completed, with `result` in the place
  /// of their own if it is given.
  LinkSender::Outcome turn(std::optional<std::int32_t> result = {}) {
    sender_->submit(ring_);
    EXPECT_EQ(ring_.submit_and_wait(sender_->is_waiting() ? Duration{1ms} : Duration{1s}), 0);
    std::array<Completion, 512> completions;
    LinkSender::Outcome sum;
    const std::size_t count = ring_.collect(completions);
    for (std::size_t i = 0; i < count; ++i) {
      if (completions[i].tag.operation == Operation::LinkWritable) {
        sender_->note_writable(completions[i].tag);
        continue;
      }
      if (result) completions[i].result = *result;
      const LinkSender::Outcome one = sender_->note_sent(completions[i]);
      sum.datagram_count += one.datagram_count;
      sum.size += one.size;
      sum.failed_count += one.failed_count;
      sum.error = std::max(sum.error, one.error);
      if (one.too_big_size != 0) too_big_.push_back({one.too_big_for, one.too_big_size});
      trains_ += one.is_train ? 1 : 0;
      refused_ += one.is_refused ? 1 : 0;
    }
    done_ += sum.datagram_count + sum.failed_count;
    return sum;
  }
  /// Turns until `count` datagrams have been sent, or were lost.
  void finish(std::size_t count) {
    for (int turns = 0; turns < 1000 && done_ < count; ++turns) turn();
    EXPECT_EQ(done_, count);
  }
  void expect_received(const std::vector<Datagram>& datagrams) {
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const auto received = client_->receive();
      ASSERT_TRUE(received.has_value()) << i;
      ASSERT_EQ(*received, datagrams[i]) << i;
    }
    EXPECT_FALSE(client_->receive(0).has_value());
  }

  std::vector<UdpSocket> sockets_;
  Ring ring_;
  bool ring_is_open_ = false;
  std::optional<LinkSender> sender_;
  std::optional<LinkClient> client_;
  LinkEndpoint to_;
  std::size_t done_ = 0;
  std::size_t trains_ = 0;
  std::size_t refused_ = 0;
  std::vector<std::pair<LinkEndpoint, std::size_t>> too_big_;
};

}  // namespace ringway::test
