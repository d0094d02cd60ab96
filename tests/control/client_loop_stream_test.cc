#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

#include "control/client_loop.h"
#include "tests/control/server_by_hand.h"
#include "tests/dataplane/link_client.h"
#include "tests/dataplane/stream_client.h"
#include "tests/support/offload_sets.h"
#include "tests/tun/super_packet.h"
#include "tun/vnet_header.h"

/// The client's loop over TCP, between a server by hand and a socket in the place of the TUN.
namespace ringway {
namespace {

using test::counting_bytes;
using test::ip;
using test::kAll;
using test::kNone;
using test::kPatienceMs;
using test::Packet;
using test::udp_packet;
using test::with_header;

class ClientLoopStreamTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::run("ip link set lo up"); }
  void TearDown() override {
    if (loop_) loop_->shut_down();
  }

  void start(const Offloads& offloads = kNone) {
    auto group = open_tcp_listeners({.port = 0}, 1);
    ASSERT_TRUE(group);
    const Endpoint server{ip("::1"), group->listeners[0].local().port};
    UniqueFd near(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketName name = SocketName::of(server, true);
    ASSERT_EQ(::connect(near.get(), name.get(), name.size), 0);
    far_.emplace(UniqueFd(::accept4(group->listeners[0].fd(), nullptr, nullptr, SOCK_CLOEXEC)));
    auto socket = TcpSocket::adopt(std::move(near));
    ASSERT_TRUE(socket.has_value());

    settings_.path = PathKind::Stream;
    core_.emplace(settings_, wrap_, tls_, random_, read_clocks());
    loop_.emplace(ClientLoop::Settings{.stream = &*socket, .server = server, .offloads = offloads},
                  *core_, counters_);
    ASSERT_TRUE(loop_->set_up());
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    tun_ = UniqueFd(ends[0]);
    host_ = UniqueFd(ends[1]);
    const int size = 16 << 20;
    for (const int end : ends) {
      ASSERT_EQ(::setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size), 0);
    }
    ASSERT_TRUE(turn_until([this] { return core_->is_connected(); }));
    while (core_->poll_event()) continue;
    loop_->attach({.fd = tun_.get(), .mtu = 1500, .offloads = offloads.tun});
  }
  void serve() {
    if (!reads_) return;
    while (auto datagram = far_->receive(0)) server_.handle_datagram(*datagram, read_clocks());
    while (const auto answer = server_.poll_transmit(read_clocks())) far_->send(*answer);
  }
  [[nodiscard]] bool turn_until(const std::function<bool()>& done) {
    const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
    while (monotonic_now() < deadline) {
      if (done()) return true;
      loop_->turn();
      serve();
    }
    return false;
  }
  [[nodiscard]] Packet seal(Bytes packet) {
    Packet out(packet.size() + kDataOverheadMax);
    const auto datagram = server_.session->seal(packet, out, read_clocks().instant);
    return {datagram->begin(), datagram->end()};
  }
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
  void write_frame(const Packet& frame) const {
    ASSERT_EQ(::write(host_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }

  // First in, last out.
  test::ServerByHand server_{read_clocks().wall};
  TlsWrap wrap_;
  TlsContext tls_ = test::make_tls(Side::Client, read_clocks().wall);
  test::SeededRandom random_{1};
  ClientSettings settings_;
  Counters counters_;
  UniqueFd tun_;
  UniqueFd host_;
  std::optional<test::StreamClient> far_;
  bool reads_ = true;
  std::optional<ClientCore> core_;
  std::optional<ClientLoop> loop_;
};

TEST_F(ClientLoopStreamTest, CarriesPacketsBothWaysInOrder) {
  start();
  std::vector<Packet> packets;
  for (std::uint8_t i = 0; i < 100; ++i)
    packets.push_back(udp_packet(true, counting_bytes(900, i)));

  for (const Packet& packet : packets) {
    write_frame(with_header({}, packet));
    far_->send(seal(packet));
  }

  for (const Packet& packet : packets) EXPECT_EQ(next_frame(), with_header({}, packet));
  EXPECT_TRUE(turn_until([this] { return server_.packets.size() == 100; }));
  EXPECT_EQ(server_.packets, packets);
}

TEST_F(ClientLoopStreamTest, WaitsForAServerThatDoesNotReadAndLosesNothing) {
  start(kAll);
  const test::SuperPacket super = test::udp_super_packet(true, counting_bytes(40'000), 1000);
  reads_ = false;
  constexpr std::size_t kFrames = 300;
  for (std::size_t i = 0; i < kFrames; ++i) {
    write_frame(with_header(super.header, super.packet));
    loop_->turn();
  }
  EXPECT_TRUE(turn_until([this] { return counters_.snapshot().of(Counter::TunWaits) > 0; }));

  reads_ = true;
  EXPECT_TRUE(turn_until([this] { return server_.packets.size() == kFrames * 40; }));

  for (std::size_t i = 0; i < server_.packets.size(); ++i) {
    ASSERT_TRUE(std::ranges::equal(Bytes(server_.packets[i]).subspan(28),
                                   Bytes(super.packet).subspan(28 + i % 40 * 1000, 1000)))
        << i;
  }
}

TEST_F(ClientLoopStreamTest, SaysThatTheConnectionHasEnded) {
  start();
  far_->close();
  reads_ = false;
  std::optional<ClientEvent> event;
  ASSERT_TRUE(turn_until([&] { return (event = core_->poll_event()).has_value(); }));
  const auto* const gone = std::get_if<ClientDisconnected>(&*event);
  ASSERT_NE(gone, nullptr);
  EXPECT_EQ(gone->cause, ClientDisconnected::Cause::Failed);

  write_frame(with_header({}, udp_packet(true, counting_bytes(10))));
  EXPECT_TRUE(turn_until([this] { return counters_.snapshot().of(Drop::NoKey) == 1; }));
}

TEST_F(ClientLoopStreamTest, LeavesWithoutAWordBecauseTheCloseSaysIt) {
  start();
  core_->leave(read_clocks());
  const auto event = core_->poll_event();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(std::get<ClientDisconnected>(*event).cause, ClientDisconnected::Cause::Left);
}

TEST_F(ClientLoopStreamTest, ShutsDownWithEverythingInFlight_E01) {
  start(kAll);
  const test::SuperPacket super = test::udp_super_packet(true, counting_bytes(40'000), 1000);
  reads_ = false;
  for (int i = 0; i < 50; ++i) {
    write_frame(with_header(super.header, super.packet));
    far_->send(seal(udp_packet(true, counting_bytes(900))));
    loop_->turn();
  }
  loop_->shut_down();
  loop_.reset();
  EXPECT_TRUE(far_->has_ended());
}

}  // namespace
}  // namespace ringway
