#include "dataplane/too_big_answers.h"

#include <gtest/gtest.h>

#include "tests/dataplane/datapath_rig.h"

namespace ringway {
namespace {

using test::address;
using test::kStart;
using test::Packet;
using test::packet_between;
using To = TooBigAnswers::Occasion::To;

constexpr PeerId kPeer{7};

class TooBigAnswersTest : public ::testing::Test {
 protected:
  std::optional<IpPacket> answer(const Packet& about, const TooBigAnswers::Occasion& occasion) {
    const auto packet = answers_.answer(out_, parse_ip_packet(about).value(), occasion);
    if (!packet) return std::nullopt;
    return parse_ip_packet(*packet).value();
  }
  /// How many of `tries` answers about packets for `peer` are given at once.
  std::size_t given(PeerId peer, std::size_t tries, Instant now) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tries; ++i) {
      count += answer(about_, {.peer = peer, .path_limit = 1400, .now = now}) ? 1 : 0;
    }
    return count;
  }

  TooBigAnswers answers_{{.own_v4 = address("10.8.0.1"), .own_v6 = address("fd00::1")}};
  Packet out_ = Packet(kTooBigSizeMax);
  const Packet about_ = packet_between("192.0.2.7", "10.8.0.2", 1472);
  const Packet about_v6_ = packet_between("2001:db8::7", "fd00::2", 1452);
};

TEST_F(TooBigAnswersTest, ComeToAClientFromTheTunnelsOwnAddress) {
  const auto v4 =
      answer(about_, {.peer = kPeer, .path_limit = 1400, .to = To::Peer, .now = kStart});
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->source(), address("10.8.0.1"));
  EXPECT_EQ(v4->destination(), address("192.0.2.7"));
  EXPECT_EQ(load_be16(v4->payload().data() + 6), 1400u);

  const auto v6 =
      answer(about_v6_, {.peer = kPeer, .path_limit = 1400, .to = To::Peer, .now = kStart});
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->source(), address("fd00::1"));
  EXPECT_EQ(load_be32(v6->payload().data() + 4), 1400u);
}

// The host refuses what comes from its own address, and strict reverse path checks what does not
// lie behind the device.
TEST_F(TooBigAnswersTest, ComeIntoTheTunFromThePacketsDestination) {
  EXPECT_EQ(answer(about_, {.peer = kPeer, .path_limit = 1400, .now = kStart})->source(),
            address("10.8.0.2"));
  EXPECT_EQ(answer(about_v6_, {.peer = kPeer, .path_limit = 1400, .now = kStart})->source(),
            address("fd00::2"));
}

TEST_F(TooBigAnswersTest, WithoutAnOwnAddressComeFromRfc7600sDummyOrNotAtAll) {
  answers_ = TooBigAnswers({});

  const auto v4 =
      answer(about_, {.peer = kPeer, .path_limit = 1400, .to = To::Peer, .now = kStart});
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->source(), address("192.0.0.8"));
  EXPECT_FALSE(
      answer(about_v6_, {.peer = kPeer, .path_limit = 1400, .to = To::Peer, .now = kStart}));
}

TEST_F(TooBigAnswersTest, NameIpv6sSmallestMtuAtLeast) {
  const auto v6 = answer(about_v6_, {.peer = kPeer, .path_limit = 1200, .now = kStart});

  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(load_be32(v6->payload().data() + 4), 1280u);
}

// Security goal C08.
TEST_F(TooBigAnswersTest, AreNotGivenAboutAnIcmpError) {
  const Packet error = test::ip_packet(true, 1, Packet(1480, 3));

  EXPECT_FALSE(answer(error, {.peer = kPeer, .path_limit = 1400, .now = kStart}));
}

// Security goal C08.
TEST_F(TooBigAnswersTest, AreGivenAPeerInABurstAndThenAtItsRate) {
  EXPECT_EQ(given(kPeer, 1000, kStart), std::size_t{TooBigAnswers::kPeerBurst});
  EXPECT_EQ(given(kPeer, 1000, kStart + 100ms), std::size_t{TooBigAnswers::kPeerPerSecond} / 10);
  EXPECT_EQ(given(kPeer, 1000, kStart + 60s), std::size_t{TooBigAnswers::kPeerBurst});
}

// Security goal C08.
TEST_F(TooBigAnswersTest, OfOnePeerDoNotTakeThoseOfAnother) {
  EXPECT_EQ(given(kPeer, 100'000, kStart), std::size_t{TooBigAnswers::kPeerBurst});

  EXPECT_EQ(given({8}, 10, kStart), 10u);
}

// Security goal C08.
TEST_F(TooBigAnswersTest, OfAllPeersAreLimitedToo) {
  std::size_t count = 0;
  for (std::uint32_t peer = 0; peer < 100; ++peer) count += given({peer}, 50, kStart);

  EXPECT_EQ(count, std::size_t{TooBigAnswers::kBurst});
}

}  // namespace
}  // namespace ringway
