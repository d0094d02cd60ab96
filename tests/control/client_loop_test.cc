#include "control/client_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "base/unique_fd.h"
#include "tests/control/server_by_hand.h"
#include "tests/dataplane/link_client.h"
#include "tests/support/offload_sets.h"
#include "tests/tun/super_packet.h"

/// The client's loop on a real ring with a real socket, between a server by hand and, in the place
/// of the TUN, a socket that keeps the bounds of each write.
namespace ringway {
namespace {

using test::counting_bytes;
using test::ip;
using test::kAll;
using test::kNone;
using test::kPatienceMs;
using test::Packet;
using test::SuperPacket;
using test::udp_packet;
using test::with_header;

/// UDP packets of one flow that each tell where they belong.
Packet numbered(std::uint32_t number, std::size_t size = 1000) {
  Packet payload = counting_bytes(size, static_cast<std::uint8_t>(number));
  store_be32(payload.data(), number);
  return udp_packet(true, payload);
}

class ClientLoopTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }
  void TearDown() override {
    if (loop_) loop_->shut_down();
  }

  void start(const Offloads& offloads = kNone, std::uint32_t send_buffer_size = 0,
             bool multishot_tun_reads = true) {
    auto group = open_udp_sockets({.port = 0,
                                   .family = SocketFamily::V4Only,
                                   .send_buffer_size = send_buffer_size,
                                   .gro = offloads.link_gro},
                                  1);
    ASSERT_TRUE(group);
    sockets_ = std::move(group->sockets);
    link_.emplace(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
    core_.emplace(settings_, wrap_, tls_, random_, read_clocks());
    loop_.emplace(ClientLoop::Settings{.sockets = sockets_,
                                       .server = link_->local(),
                                       .floats = floats_,
                                       .offloads = offloads,
                                       .multishot_tun_reads = multishot_tun_reads},
                  *core_, counters_);
    ASSERT_TRUE(loop_->set_up());
    offloads_ = offloads;

    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    tun_ = UniqueFd(ends[0]);
    host_ = UniqueFd(ends[1]);
    const int size = 16 << 20;
    for (const int end : ends) {
      ASSERT_EQ(::setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size), 0);
    }
  }
  void attach(std::size_t mtu = 1500) {
    loop_->attach({.fd = tun_.get(), .mtu = mtu, .offloads = offloads_.tun});
  }
  /// A client that is connected and has its TUN.
  void connect(const Offloads& offloads = kNone, std::uint32_t send_buffer_size = 0) {
    start(offloads, send_buffer_size);
    shake_hands();
    attach();
  }
  void shake_hands() {
    ASSERT_TRUE(turn_until([this] { return core_->is_connected(); }));
    while (core_->poll_event()) continue;
  }

  /// What lies in the socket, to the server, and what it answers.
  void serve() {
    while (auto datagram = link_->receive(0)) server_.handle_datagram(*datagram, read_clocks());
    while (const auto answer = server_.poll_transmit(read_clocks())) link_->send(*answer);
  }
  /// False when it does not come about in time.
  [[nodiscard]] bool turn_until(const std::function<bool()>& done) {
    const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
    while (monotonic_now() < deadline) {
      if (done()) return true;
      loop_->turn();
      serve();
    }
    return false;
  }
  [[nodiscard]] bool turn_until_packets(std::size_t count) {
    return turn_until([&] { return server_.packets.size() >= count; });
  }

  [[nodiscard]] Packet seal(Bytes packet) {
    Packet out(packet.size() + kDataOverheadMax);
    const auto datagram = server_.session->seal(packet, out, read_clocks().instant);
    return {datagram->begin(), datagram->end()};
  }
  /// The next frame that the loop has written into the TUN; empty when there is none.
  [[nodiscard]] Packet next_frame() {
    Packet frame(1 << 17);
    ssize_t size = -1;
    static_cast<void>(turn_until([&] {
      size = ::read(host_.get(), frame.data(), frame.size());
      return size > 0;
    }));
    frame.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return frame;
  }
  [[nodiscard]] bool tun_is_quiet() const { return !test::is_readable(host_.get(), 0); }
  void write_frame(const Packet& frame) const {
    ASSERT_EQ(::write(host_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return counters_.snapshot().of(counter);
  }
  [[nodiscard]] std::uint64_t count(Drop drop) const { return counters_.snapshot().of(drop); }

  // First in, last out.
  test::ServerByHand server_{read_clocks().wall};
  TlsWrap wrap_;
  TlsContext tls_ = test::make_tls(Side::Client, read_clocks().wall);
  test::SeededRandom random_{1};
  ClientSettings settings_;
  bool floats_ = false;
  Counters counters_;
  Offloads offloads_;
  std::vector<UdpSocket> sockets_;
  UniqueFd tun_;
  UniqueFd host_;
  std::optional<test::LinkClient> link_;
  std::optional<ClientCore> core_;
  std::optional<ClientLoop> loop_;
};

TEST_F(ClientLoopTest, MakesFramesOfDatagramsInOrder) {
  connect();
  for (std::uint32_t i = 0; i < 50; ++i) link_->send(seal(numbered(i)));

  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(next_frame(), with_header({}, numbered(i)));
  EXPECT_EQ(count(Counter::TunSentPackets), 50u);
}

TEST_F(ClientLoopTest, TakesMoreDatagramsThanThereAreBuffers_E03) {
  connect();
  constexpr std::uint32_t kRounds = 60;
  constexpr std::uint32_t kPerRound = 100;
  static_assert(kRounds * kPerRound * 1024 > 4 << 20);

  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::uint32_t first = round * kPerRound;
    for (std::uint32_t i = 0; i < kPerRound; ++i) link_->send(seal(numbered(first + i, 20)));
    for (std::uint32_t i = 0; i < kPerRound; ++i) {
      ASSERT_EQ(next_frame(), with_header({}, numbered(first + i, 20)));
    }
  }
}

TEST_F(ClientLoopTest, MakesOneFrameOfATrain) {
  connect(kAll);
  std::vector<Packet> train;
  for (std::uint32_t i = 0; i < 20; ++i) train.push_back(seal(numbered(i)));

  link_->send_train(train);

  const Packet frame = next_frame();
  const auto header = parse_vnet_header(frame);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->gso_type, GsoType::UdpL4);
  EXPECT_EQ(header->gso_size, 1000u);
  ASSERT_EQ(frame.size(), kVnetHeaderSize + kIpv4HeaderMin + kUdpHeaderSize + 20 * 1000u);
  for (std::uint32_t i = 0; i < 20; ++i) {
    const auto at = frame.size() - std::size_t{20 - i} * 1000;
    EXPECT_EQ(load_be32(frame.data() + at), i);
  }
  EXPECT_EQ(count(Counter::LinkReceivedTrains), 1u);
  EXPECT_TRUE(tun_is_quiet());
}

TEST_F(ClientLoopTest, HearsNobodyButTheServer_A18) {
  connect();
  const test::LinkClient other(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
  other.send(seal(numbered(1)));
  link_->send(seal(numbered(2)));

  EXPECT_EQ(next_frame(), with_header({}, numbered(2)));
  EXPECT_EQ(count(Drop::WrongEndpoint), 1u);
  EXPECT_TRUE(tun_is_quiet());
}

TEST_F(ClientLoopTest, FollowsAServerThatFloatsWhenItHasProvenToBeTheSame) {
  floats_ = true;
  connect();
  const test::LinkClient moved(Endpoint{ip("127.0.0.1"), sockets_[0].local().port});
  Packet forged = seal(numbered(1));
  forged.back() ^= 1;
  moved.send(forged);
  ASSERT_TRUE(turn_until([this] { return core_->drops()[std::size_t(Drop::BadTag)] == 1; }));
  write_frame(with_header({}, numbered(7)));
  ASSERT_TRUE(turn_until_packets(1));

  moved.send(seal(numbered(2)));
  EXPECT_EQ(next_frame(), with_header({}, numbered(2)));
  write_frame(with_header({}, numbered(8)));
  EXPECT_TRUE(turn_until([&] { return moved.receive(0).has_value(); }));
}

TEST_F(ClientLoopTest, DropsAndCountsWhatIsNoIpPacket) {
  connect();
  link_->send(seal(Packet(30, 0x11)));
  link_->send(seal(numbered(2)));

  EXPECT_EQ(next_frame(), with_header({}, numbered(2)));
  EXPECT_TRUE(tun_is_quiet());
  EXPECT_EQ(count(Drop::MalformedInner), 1u);
}

TEST_F(ClientLoopTest, LosesWhatComesBeforeThereIsATunAndNothingElse) {
  start();
  shake_hands();
  link_->send(seal(numbered(1)));
  loop_->turn();
  write_frame(with_header({}, numbered(7)));
  EXPECT_TRUE(server_.packets.empty());

  attach();
  link_->send(seal(numbered(2)));

  EXPECT_EQ(next_frame(), with_header({}, numbered(2)));
  EXPECT_TRUE(turn_until_packets(1));
  EXPECT_EQ(server_.packets, std::vector<Packet>{numbered(7)});
}

TEST_F(ClientLoopTest, MakesDatagramsOfFramesInOrder) {
  connect();
  std::vector<Packet> packets;
  for (std::uint32_t i = 0; i < 50; ++i) packets.push_back(numbered(i));

  for (const Packet& packet : packets) write_frame(with_header({}, packet));

  EXPECT_TRUE(turn_until_packets(50));
  EXPECT_EQ(server_.packets, packets);
}

TEST_F(ClientLoopTest, ReadsFramesWhereReadsCannotBeMultishot) {
  start(kNone, 0, false);
  shake_hands();
  attach();
  for (std::uint32_t i = 0; i < 50; ++i) {
    write_frame(with_header({}, numbered(i)));
    ASSERT_TRUE(turn_until_packets(i + 1));
    EXPECT_EQ(server_.packets.back(), numbered(i));
  }
}

TEST_F(ClientLoopTest, CutsASuperPacketInPlaceIntoOneTrain_F01) {
  connect(kAll);
  Packet payload;
  std::vector<Packet> expected;
  for (std::uint32_t i = 0; i < 20; ++i) {
    expected.push_back(numbered(i, i == 19 ? 300 : 1000));
    const Bytes one = Bytes(expected.back()).subspan(kIpv4HeaderMin + kUdpHeaderSize);
    payload.insert(payload.end(), one.begin(), one.end());
  }
  const SuperPacket super = test::udp_super_packet(true, payload, 1000);

  // What shook hands was sent in trains, too.
  const std::uint64_t trains = count(Counter::LinkSentTrains);

  write_frame(with_header(super.header, super.packet));

  ASSERT_TRUE(turn_until_packets(20));
  for (std::size_t i = 0; i < 20; ++i) {
    const Packet& packet = server_.packets[i];
    EXPECT_TRUE(std::ranges::equal(Bytes(packet).subspan(20 + 8), Bytes(expected[i]).subspan(28)));
    EXPECT_EQ(load_be16(packet.data() + 26),
              test::reference_transport_checksum(packet, kIpv4HeaderMin, kIpv4HeaderMin + 6));
  }
  EXPECT_TRUE(turn_until([&] { return count(Counter::LinkSentTrains) > trains; }));
  EXPECT_EQ(count(Counter::LinkSentTrains), trains + 1);
  EXPECT_EQ(count(Counter::TunReceivedPackets), 20u);
}

TEST_F(ClientLoopTest, WaitsForAFullSocketAndLosesAndReordersNothing_R16) {
  connect(kAll, 32 << 10);
  const SuperPacket super = test::udp_super_packet(true, counting_bytes(40'000), 1000);
  test::run("tc qdisc add dev lo root tbf rate 200mbit burst 70000 limit 10000000");
  for (int i = 0; i < 20; ++i) write_frame(with_header(super.header, super.packet));

  EXPECT_TRUE(turn_until_packets(800));
  test::run("tc qdisc del dev lo root");

  ASSERT_EQ(server_.packets.size(), 800u);
  for (std::size_t i = 0; i < 800; ++i) {
    ASSERT_TRUE(std::ranges::equal(Bytes(server_.packets[i]).subspan(28),
                                   Bytes(super.packet).subspan(28 + i % 40 * 1000, 1000)))
        << i;
  }
  EXPECT_GT(count(Counter::TunWaits), 0u);
  EXPECT_EQ(count(Drop::SendFailed), 0u);
}

// Each frame's buffer goes back, whatever becomes of it.
TEST_F(ClientLoopTest, GoesOnAfterMoreBadFramesThanThereAreBuffers_F01) {
  start();
  shake_hands();
  attach(1400);
  const std::vector<Packet> bad = {Packet(3), with_header({}, Packet(30, 0x11)),
                                   with_header({}, udp_packet(true, Packet(1400 - 28 + 1)))};
  for (int round = 0; round < 300; ++round) {
    for (const Packet& frame : bad) write_frame(frame);
    const auto handled = static_cast<std::uint64_t>(round + 1);
    ASSERT_TRUE(turn_until([&] { return count(Drop::TooBig) == handled; }));
  }
  EXPECT_EQ(count(Drop::BadVnetHeader), 300u);
  EXPECT_EQ(count(Drop::MalformedInner), 300u);

  write_frame(with_header({}, udp_packet(true, Packet(1400 - 28))));

  EXPECT_TRUE(turn_until_packets(1));
}

TEST_F(ClientLoopTest, LowersTheMssBothWays) {
  settings_.mssfix = {.value = 1240, .mode = MssFix::Mode::Fixed};
  connect();
  const auto syn = [](std::uint16_t mss) {
    return test::tcp_packet(
        true, {},
        {.flags = tcp_flag::kSyn,
         .options = {2, 4, static_cast<std::uint8_t>(mss >> 8), static_cast<std::uint8_t>(mss)}});
  };

  write_frame(with_header({}, syn(1460)));
  link_->send(seal(syn(1460)));

  EXPECT_EQ(next_frame(), with_header({}, syn(1200)));
  ASSERT_TRUE(turn_until_packets(1));
  EXPECT_EQ(server_.packets.front(), syn(1200));
}

TEST_F(ClientLoopTest, DropsFramesWhenTheServerIsGone) {
  connect();
  server_.channel->send_message("HALT,bye", read_clocks());
  serve();
  ASSERT_TRUE(turn_until([this] { return !core_->is_connected(); }));

  write_frame(with_header({}, numbered(1)));

  EXPECT_TRUE(turn_until([this] { return count(Drop::NoKey) == 1; }));
  EXPECT_TRUE(server_.packets.empty());
}

TEST_F(ClientLoopTest, ShutsDownWithEverythingInFlight_E01) {
  connect(kAll);
  const SuperPacket super = test::udp_super_packet(true, counting_bytes(40'000), 1000);
  for (int i = 0; i < 20; ++i) {
    write_frame(with_header(super.header, super.packet));
    link_->send(seal(numbered(1)));
  }
  loop_->turn();
  loop_->shut_down();

  // Nobody reads or writes any more: what comes now stays where it is.
  while (!tun_is_quiet()) {
    Packet frame(1 << 17);
    ASSERT_GT(::read(host_.get(), frame.data(), frame.size()), 0);
  }
  link_->send(seal(numbered(2)));
  write_frame(with_header({}, numbered(2)));
  EXPECT_TRUE(tun_is_quiet());
  EXPECT_TRUE(test::is_readable(sockets_[0].fd(), 0));
  EXPECT_TRUE(test::is_readable(tun_.get(), 0));
}

}  // namespace
}  // namespace ringway
