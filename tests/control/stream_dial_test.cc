#include "control/stream_dial.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>

#include "base/time.h"
#include "tests/dataplane/link_client.h"
#include "tests/dataplane/stream_client.h"
#include "tests/support/patience.h"

namespace ringway {
namespace {

using test::ip;
using test::StreamClient;

class StreamDialTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }

  void dial() {
    auto group = open_tcp_listeners({.port = 0}, 1);
    ASSERT_TRUE(group);
    auto opened = StreamDial::open({.server = {ip("::1"), group->listeners[0].local().port}});
    ASSERT_TRUE(opened) << opened.error().to_string();
    dial_.emplace(std::move(*opened));
    far_.emplace(UniqueFd(::accept4(group->listeners[0].fd(), nullptr, nullptr, SOCK_CLOEXEC)));
    ASSERT_TRUE(eventually([this] { return dial_->is_connected(); }));
  }
  static bool eventually(const std::function<bool()>& done) {
    const Instant deadline =
        monotonic_now() + Duration{std::chrono::milliseconds(test::kPatienceMs)};
    while (monotonic_now() < deadline) {
      if (done()) return true;
    }
    return false;
  }

  std::optional<StreamDial> dial_;
  std::optional<StreamClient> far_;
};

TEST_F(StreamDialTest, CarriesPacketsBothWays) {
  dial();
  const std::uint8_t packet[] = {1, 2, 3};
  EXPECT_EQ(dial_->awaited(), POLLIN);

  ASSERT_TRUE(dial_->send(packet));
  const auto heard = far_->receive();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->size(), 3u);

  far_->send(packet);
  std::size_t size = 0;
  ASSERT_TRUE(eventually([&] {
    const auto received = dial_->receive();
    if (received) size = received->size();
    return received.has_value();
  }));
  EXPECT_EQ(size, 3u);
}

TEST_F(StreamDialTest, ReadsNotAByteBehindThePacketThatItGives) {
  dial();
  const std::uint8_t both[] = {0, 2, 7, 7, 0, 1, 9};
  far_->write(both);
  ASSERT_TRUE(eventually([&] { return dial_->receive().has_value(); }));

  const auto socket = dial_->release();
  ASSERT_TRUE(socket);
  EXPECT_EQ(::fcntl(socket->fd(), F_GETFL) & O_NONBLOCK, 0);
  std::uint8_t rest[8];
  EXPECT_EQ(::recv(socket->fd(), rest, sizeof rest, 0), 3);
  EXPECT_EQ(rest[2], 9);
}

TEST_F(StreamDialTest, WaitsForTheRestOfAPacket) {
  dial();
  for (const std::uint8_t byte : std::array<std::uint8_t, 4>{0, 3, 5, 5}) {
    far_->write(Bytes(&byte, 1));
    EXPECT_FALSE(dial_->receive());
  }
  const std::uint8_t last = 5;
  far_->write(Bytes(&last, 1));
  EXPECT_TRUE(eventually([&] { return dial_->receive().has_value(); }));
  EXPECT_FALSE(dial_->has_failed());
}

TEST_F(StreamDialTest, FailsOnWhatIsNoPacket) {
  for (const std::array<std::uint8_t, 2> length :
       {std::array<std::uint8_t, 2>{0, 0}, {0xff, 0xff}}) {
    dial();
    far_->write(length);
    EXPECT_TRUE(eventually([&] {
      EXPECT_FALSE(dial_->receive());
      return dial_->has_failed();
    }));
    EXPECT_FALSE(dial_->release());
  }
}

TEST_F(StreamDialTest, FailsWhenTheOtherEndCloses) {
  dial();
  far_.reset();
  EXPECT_TRUE(eventually([&] {
    EXPECT_FALSE(dial_->receive());
    return dial_->has_failed();
  }));
}

TEST_F(StreamDialTest, FailsWhereNobodyListens) {
  auto group = open_tcp_listeners({.port = 0}, 1);
  ASSERT_TRUE(group);
  const Endpoint server{ip("::1"), group->listeners[0].local().port};
  group->listeners.clear();
  auto opened = StreamDial::open({.server = server});
  if (!opened) return;  // The kernel may say so at once.
  EXPECT_TRUE(eventually([&] {
    EXPECT_FALSE(opened->is_connected());
    return opened->has_failed();
  }));
}

TEST_F(StreamDialTest, BeginsWhereItIsTold) {
  auto group = open_tcp_listeners({.port = 0}, 1);
  ASSERT_TRUE(group);
  auto opened = StreamDial::open(
      {.server = {ip("127.0.0.1"), group->listeners[0].local().port}, .local = ip("127.0.0.7")});
  ASSERT_TRUE(opened) << opened.error().to_string();
  ASSERT_TRUE(eventually([&] { return opened->is_connected(); }));
  const auto socket = opened->release();
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->local()->address, ip("127.0.0.7"));
}

}  // namespace
}  // namespace ringway
