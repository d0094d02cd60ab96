#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "dataplane/channel/path_probe.h"
#include "dataplane/channel/session.h"
#include "tests/dataplane/channel/test_keys.h"

/// Two sessions that find out what the path between them carries.
namespace ringway {
namespace {

using test::kStart;

const LinkEndpoint kEndpoint{.remote = {.address = IpAddress::v4(0xc0000201), .port = 40000},
                             .local = IpAddress::v4(0xc6336401)};
constexpr SessionSettings kSearched{.mssfix = {}, .path = PathKind::Searched};

class SessionPath : public ::testing::Test {
 protected:
  SessionPath() {
    ours_.keys().install(test::make_keys({0}, 1));
    theirs_.keys().install(test::make_peer_keys({0}, 1));
    ours_.start_path(kStart);
  }

  /// Delivers what either has to say until both are silent, on a path of this width.
  void talk(std::size_t width, Instant now = kStart) {
    while (ours_.has_message() || theirs_.has_message()) {
      deliver(ours_, theirs_, width, now);
      deliver(theirs_, ours_, width, now);
    }
  }
  void deliver(Session& from, Session& to, std::size_t width, Instant now) {
    const auto message = from.poll_message(scratch_, now);
    if (!message || message->size() + 28 > width) return;
    sizes_.push_back(message->size() + 28);
    static_cast<void>(to.open(parse_data_header(*message).value(), *message, now));
  }
  /// Lets time pass, in which large packets may be sent.
  void pass(Duration time, std::size_t width, std::size_t packet_size = 0) {
    const std::vector<std::uint8_t> packet(packet_size, 0x45);
    std::vector<std::uint8_t> out(packet_size + kDataOverheadMax);
    for (const Instant end = now_ + time; now_ < end; now_ = now_ + 100ms) {
      if (packet_size > 0) {
        ASSERT_TRUE(ours_.seal(packet, out, now_));
      }
      ours_.handle_timeout(now_);
      talk(width, now_);
    }
  }

  Session ours_{PeerId{7}, kEndpoint, kSearched, kStart};
  Session theirs_{PeerId{7}, kEndpoint, {}, kStart};
  std::array<std::uint8_t, 2048> scratch_{};
  std::vector<std::size_t> sizes_;
  Instant now_ = kStart;
};

TEST_F(SessionPath, IsMeasuredByRequestsThatThePeerAnswers) {
  EXPECT_EQ(ours_.packet_max(), 1348u);
  EXPECT_EQ(ours_.mss().v4, 1308);

  talk(1500);
  EXPECT_EQ(ours_.packet_max(), 1448u);
  EXPECT_EQ(ours_.mss().v4, 1408);
  EXPECT_EQ(ours_.mss().v6, 1388);
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1400, 69 + 4, 1500, 69 + 4}));
  pass(10s, 1500);
  EXPECT_TRUE(ours_.path().is_measured());
}

TEST_F(SessionPath, GivesASmallerLineWhatItCarries) {
  pass(30s, 1460);

  EXPECT_EQ(ours_.path().size(), 1460);
  EXPECT_EQ(ours_.packet_max(), 1408u);
  EXPECT_EQ(ours_.mss().v4, 1368);
  EXPECT_EQ(ours_.mss().v6, 1348);
}

TEST_F(SessionPath, NoticesThatLargePacketsGetThroughNoLonger) {
  pass(10s, 1500);
  ASSERT_EQ(ours_.packet_max(), 1448u);

  pass(40s, 1400, 1448);

  EXPECT_EQ(ours_.packet_max(), 1348u);
  EXPECT_EQ(ours_.take_path_counts().black_holes, 1u);
}

TEST_F(SessionPath, AsksNothingWhileOnlySmallPacketsAreSent) {
  pass(10s, 1500);
  const std::size_t before = sizes_.size();

  pass(60s, 1500, 1200);

  EXPECT_EQ(sizes_.size(), before);
}

TEST_F(SessionPath, BeginsWithTheFirstPacketOfThePeer) {
  Session waiting(PeerId{7}, kEndpoint, kSearched, kStart);
  waiting.keys().install(test::make_keys({0}, 1));
  EXPECT_FALSE(waiting.has_message());

  const auto ping = theirs_.seal(kPingPayload, scratch_, kStart);
  ASSERT_TRUE(waiting.open(parse_data_header(*ping).value(), *ping, kStart));

  EXPECT_TRUE(waiting.has_message());
}

TEST_F(SessionPath, IsSearchedAnewWhereThePeerHasMoved) {
  pass(10s, 1500);
  LinkEndpoint over_v6 = kEndpoint;
  over_v6.remote.address = *IpAddress::parse("2001:db8::1");

  ours_.move_to(over_v6, now_);

  EXPECT_EQ(ours_.endpoint(), over_v6);
  EXPECT_EQ(ours_.path().phase(), PathMtu::Phase::Base);
  EXPECT_EQ(ours_.packet_max(), 1400u - 72);
  EXPECT_TRUE(ours_.has_message());
}

TEST_F(SessionPath, HeedsTheKernelAtOnceAndHintsOnlyWhenProbesAgree_C08) {
  pass(10s, 1500);

  ours_.note_hint(1280, now_);
  EXPECT_EQ(ours_.packet_max(), 1448u);
  pass(10s, 1500);
  EXPECT_EQ(ours_.packet_max(), 1448u);

  ours_.note_refused(1472, now_);
  EXPECT_EQ(ours_.packet_max(), 1440u);
}

TEST_F(SessionPath, AnswersABoundedNumberOfRequests_C06) {
  unsigned answers = 0;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::uint8_t, kMtuRequestSizeMin> request{};
    write_mtu_request(request);
    const auto sealed = ours_.seal(request, scratch_, kStart);
    ASSERT_TRUE(theirs_.open(parse_data_header(*sealed).value(), *sealed, kStart));
    if (theirs_.poll_message(scratch_, kStart)) ++answers;
  }
  EXPECT_EQ(answers, 32u);

  std::array<std::uint8_t, kMtuRequestSizeMin> request{};
  write_mtu_request(request);
  const auto sealed = ours_.seal(request, scratch_, kStart + 1s);
  ASSERT_TRUE(theirs_.open(parse_data_header(*sealed).value(), *sealed, kStart + 1s));
  EXPECT_TRUE(theirs_.has_message());
}

TEST_F(SessionPath, OfAStreamHasNoLimit) {
  Session stream(PeerId{7}, kEndpoint, {.mssfix = {}, .path = PathKind::Stream}, kStart);
  stream.start_path(kStart);

  EXPECT_FALSE(stream.has_message());
  EXPECT_GT(stream.packet_max(), 65'000u);
  EXPECT_GT(stream.mss().v4, 65'000);
}

TEST_F(SessionPath, IsWideEnoughForATunnelOfItsOwnMtu) {
  SessionSettings small = kSearched;
  small.tun_mtu = 1280;
  Session session(PeerId{7}, kEndpoint, small, kStart);
  session.keys().install(test::make_keys({0}, 1));
  session.start_path(kStart);

  const auto probe = session.poll_message(scratch_, kStart);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->size(), 1280u + 24);
}

/// A peer whose host answers pings and which knows nothing of requests of MTU.
class SessionPathByEcho : public SessionPath {
 protected:
  SessionPathByEcho() {
    echoing_.keys().install(test::make_keys({0}, 1));
    echoing_.start_path(kStart);
  }

  /// The packets that the peer would have given to its own host.
  void pass(Duration time, std::size_t width) {
    for (const Instant end = now_ + time; now_ < end; now_ = now_ + 100ms) {
      echoing_.handle_timeout(now_);
      while (const auto message = echoing_.poll_message(scratch_, now_)) answer(*message, width);
    }
  }
  void answer(MutableBytes message, std::size_t width) {
    if (message.size() + 28 > width) return;
    const auto opened = theirs_.open(parse_data_header(message).value(), message, now_);
    ASSERT_TRUE(opened);
    if (opened->kind != PayloadKind::Packet) return;
    ++echoes_;
    std::vector<std::uint8_t> packet(opened->payload.begin(), opened->payload.end());
    ASSERT_EQ(packet[20], 8);
    packet[20] = 0;
    std::swap_ranges(packet.begin() + 12, packet.begin() + 16, packet.begin() + 16);
    std::vector<std::uint8_t> out(packet.size() + kDataOverheadMax);
    const auto reply = theirs_.seal(packet, out, now_);
    ASSERT_TRUE(reply);
    const auto back = echoing_.open(parse_data_header(*reply).value(), *reply, now_);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, PayloadKind::Ignored);
  }

  SessionSettings settings_{
      .mssfix = {},
      .path = PathKind::Searched,
      .ends = {.ours = IpAddress::v4(0x0a080001), .theirs = IpAddress::v4(0x0a080002)}};
  Session echoing_{PeerId{7}, kEndpoint, settings_, kStart};
  unsigned echoes_ = 0;
};

TEST_F(SessionPathByEcho, IsMeasuredToo) {
  pass(40s, 1460);

  EXPECT_EQ(echoing_.path().size(), 1460);
  EXPECT_TRUE(echoing_.path().is_measured());
  EXPECT_GT(echoes_, 4u);
}

TEST_F(SessionPathByEcho, LeavesOtherPacketsAlone) {
  pass(5s, 1500);
  ASSERT_GT(echoes_, 0u);
  const std::vector<std::uint8_t> packet(1400, 0x45);
  std::vector<std::uint8_t> out(1500);
  const auto sealed = theirs_.seal(packet, out, now_);

  const auto opened = echoing_.open(parse_data_header(*sealed).value(), *sealed, now_);

  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->kind, PayloadKind::Packet);
}

}  // namespace
}  // namespace ringway
