#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <array>
#include <optional>

#include "tests/tun/coalesced.h"
#include "tests/tun/host_side.h"
#include "tun/link_config.h"
#include "tun/tun_device.h"

/// The kernel as the judge: it takes what the Coalescer makes, and the Segmenter takes what it
/// makes. The peer behind the TUN is the test itself, packet by packet.
namespace ringway {
namespace {

using test::counting_bytes;
using test::Packet;

constexpr std::uint16_t kHostPort = 443;
constexpr std::uint16_t kPeerPort = 40000;

class TunOffload : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto device = TunDevice::open({.offloads = {.checksum = true, .tcp = true, .udp = true}});
    ASSERT_TRUE(device) << device.error().to_string();
    ASSERT_TRUE(device->offloads().udp) << "this test wants Linux 6.2";
    device_.emplace(std::move(*device));
    auto link = LinkConfig::open(device_->name());
    ASSERT_TRUE(link);
    const auto applied = link->apply({.v4 = InterfaceAddress{*IpAddress::parse("192.0.2.1"), 24},
                                      .v6 = InterfaceAddress{*IpAddress::parse("fd00:9::1"), 64},
                                      .mtu = 1400});
    ASSERT_TRUE(applied) << applied.error().to_string();
    ASSERT_TRUE(test::delivers_locally(*IpAddress::parse("fd00:9::1")));
  }

  [[nodiscard]] bool v4() const { return GetParam(); }
  [[nodiscard]] std::size_t transport() const { return v4() ? 20 : 40; }
  [[nodiscard]] Endpoint host() const {
    return {.address = *IpAddress::parse(v4() ? "192.0.2.1" : "fd00:9::1"), .port = kHostPort};
  }
  [[nodiscard]] Endpoint peer() const {
    return {.address = *IpAddress::parse(v4() ? "192.0.2.9" : "fd00:9::9"), .port = kPeerPort};
  }

  /// The builders' packet with the addresses of this test, its checksums made anew.
  Packet from_peer(Packet packet, std::size_t checksum_offset) const {
    const Endpoint from = peer();
    const Endpoint to = host();
    const Bytes source = from.address.wire();
    const Bytes destination = to.address.wire();
    const std::size_t at = v4() ? 12 : 8;
    std::copy(source.begin(), source.end(), packet.begin() + static_cast<std::ptrdiff_t>(at));
    std::copy(destination.begin(), destination.end(),
              packet.begin() + static_cast<std::ptrdiff_t>(at + source.size()));
    if (v4()) {
      store_be16(packet.data() + 10, 0);
      store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(20)));
    }
    const std::size_t field = transport() + checksum_offset;
    store_be16(packet.data() + field,
               test::reference_transport_checksum(packet, transport(), field));
    return packet;
  }

  Packet tcp_from_peer(Bytes payload, const test::TcpFields& fields) const {
    return from_peer(test::tcp_packet(v4(), payload, fields), 16);
  }

  void write_packets(const std::vector<Packet>& packets) const {
    Coalescer coalescer({.tcp = true, .udp = true});
    for (const Packet& packet : packets) ASSERT_TRUE(coalescer.add(*parse_ip_packet(packet)));
    std::array<Bytes, Coalescer::kGatherMax> spans;
    for (std::size_t i = 0; i < coalescer.frame_count(); ++i) {
      Packet frame;
      for (const Bytes part : coalescer.gather(i, spans)) {
        frame.insert(frame.end(), part.begin(), part.end());
      }
      ASSERT_EQ(::write(device_->queue_fd(0), frame.data(), frame.size()),
                static_cast<ssize_t>(frame.size()))
          << std::strerror(errno);
    }
  }

  /// The next frame of `protocol` from the host, waiting for it.
  std::optional<test::Frame> read_from_host(std::uint8_t protocol) const {
    while (test::is_readable(device_->queue_fd(0))) {
      const auto bytes = test::read_frame(device_->queue_fd(0));
      const auto header = parse_vnet_header(bytes);
      if (!header) return std::nullopt;
      test::Frame frame{.header = *header, .packet = {bytes.begin() + 10, bytes.end()}};
      const auto ip = parse_ip_packet(frame.packet);
      if (ip && ip->protocol == protocol) return frame;
    }
    return std::nullopt;
  }

  /// Shakes hands with the host's listening socket and returns its side of the connection; `fields`
  /// are what the peer's next segment has.
  UniqueFd connect_from_peer(const UniqueFd& listener, test::TcpFields& fields) const {
    fields = {.source_port = kPeerPort,
              .destination_port = kHostPort,
              .sequence = 1000,
              .acknowledgement = 0,
              .flags = tcp_flag::kSyn,
              .window = 65535,
              .options = {2, 4, 0x05, 0x14, 3, 3, 7, 1}};
    write_packets({tcp_from_peer({}, fields)});
    const auto answer = read_from_host(ip_protocol::kTcp);
    if (!answer) return {};
    fields.sequence = 1001;
    fields.acknowledgement = parse_ip_packet(answer->packet)->tcp()->sequence + 1;
    fields.flags = tcp_flag::kAck;
    fields.options.clear();
    write_packets({tcp_from_peer({}, fields)});
    if (!test::is_readable(listener.get())) return {};
    UniqueFd connection(::accept(listener.get(), nullptr, nullptr));
    // Closed without a farewell, so that the next test may use the same ports.
    const linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    return connection;
  }

  UniqueFd listen() const {
    UniqueFd socket(::socket(v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto local = test::socket_address(host());
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(::bind(socket.get(), local.get(), local.size), 0) << std::strerror(errno);
    EXPECT_EQ(::listen(socket.get(), 1), 0);
    return socket;
  }

  void expect_right_checksums(const std::vector<Packet>& packets, std::size_t checksum) const {
    for (const Packet& packet : packets) {
      const std::size_t field = transport() + checksum;
      EXPECT_EQ(load_be16(packet.data() + field),
                test::reference_transport_checksum(packet, transport(), field));
      if (!v4()) continue;
      EXPECT_EQ(test::reference_checksum(Bytes(packet).first(20)), 0);
    }
  }

  std::optional<TunDevice> device_;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, TunOffload, ::testing::Bool(),
                         [](const auto& family) { return family.param ? "IPv4" : "IPv6"; });

TEST_P(TunOffload, TheKernelTakesUdpTrainsApart_F02) {
  const UniqueFd socket = test::udp_socket(v4());
  const auto local = test::socket_address(host());
  ASSERT_EQ(::bind(socket.get(), local.get(), local.size), 0);
  std::vector<Packet> packets;
  for (std::uint8_t i = 0; i < 40; ++i) {
    const std::size_t size = i == 39 ? 99 : 1200;
    packets.push_back(
        from_peer(test::udp_packet(v4(), counting_bytes(size, i), {kPeerPort, kHostPort}), 6));
  }

  write_packets(packets);

  for (std::uint8_t i = 0; i < 40; ++i) {
    Packet payload(2000);
    ASSERT_TRUE(test::is_readable(socket.get())) << int{i};
    const ssize_t size = ::recv(socket.get(), payload.data(), payload.size(), MSG_DONTWAIT);
    ASSERT_GT(size, 0) << int{i};
    payload.resize(static_cast<std::size_t>(size));
    EXPECT_EQ(payload, counting_bytes(i == 39 ? 99 : 1200, i)) << int{i};
  }
}

TEST_P(TunOffload, TheKernelTakesTcpTrains_F02) {
  const UniqueFd listener = listen();
  test::TcpFields fields;
  const UniqueFd connection = connect_from_peer(listener, fields);
  ASSERT_TRUE(connection);
  const Packet sent = counting_bytes(40000);
  std::vector<Packet> packets;
  for (std::size_t at = 0; at < sent.size(); at += 1300) {
    const Bytes part = Bytes(sent).subspan(at, std::min<std::size_t>(1300, sent.size() - at));
    packets.push_back(tcp_from_peer(part, fields));
    fields.sequence += static_cast<std::uint32_t>(part.size());
  }

  write_packets(packets);

  Packet received;
  while (received.size() < sent.size()) {
    ASSERT_TRUE(test::is_readable(connection.get())) << received.size();
    Packet part(sent.size());
    const ssize_t size = ::recv(connection.get(), part.data(), part.size(), MSG_DONTWAIT);
    ASSERT_GT(size, 0);
    received.insert(received.end(), part.begin(), part.begin() + size);
  }
  EXPECT_EQ(received, sent);
}

TEST_P(TunOffload, TheSegmenterCutsWhatTheKernelSendsOverTcp_F01) {
  const UniqueFd listener = listen();
  test::TcpFields fields;
  const UniqueFd connection = connect_from_peer(listener, fields);
  ASSERT_TRUE(connection);
  const Packet sent = counting_bytes(12000);
  ASSERT_EQ(::send(connection.get(), sent.data(), sent.size(), MSG_DONTWAIT),
            static_cast<ssize_t>(sent.size()));

  Packet received;
  bool saw_super_packet = false;
  while (received.size() < sent.size()) {
    const auto frame = read_from_host(ip_protocol::kTcp);
    ASSERT_TRUE(frame);
    saw_super_packet |= frame->header.is_gso();
    const auto packets = test::cut({*frame});
    ASSERT_FALSE(packets.empty());
    expect_right_checksums(packets, 16);
    for (const Packet& packet : packets) {
      EXPECT_LE(packet.size(), 1400u);
      const auto tcp = parse_ip_packet(packet)->tcp();
      ASSERT_TRUE(tcp);
      if (tcp->payload.empty()) continue;
      ASSERT_EQ(tcp->sequence - fields.acknowledgement, received.size()) << "sent again?";
      received.insert(received.end(), tcp->payload.begin(), tcp->payload.end());
    }
  }

  EXPECT_EQ(received, sent);
  EXPECT_TRUE(saw_super_packet);
}

TEST_P(TunOffload, TheSegmenterCutsWhatTheKernelSendsOverUdp_F01) {
  const UniqueFd socket = test::udp_socket(v4());
  const int segment_size = 1000;
  ASSERT_EQ(::setsockopt(socket.get(), SOL_UDP, UDP_SEGMENT, &segment_size, sizeof segment_size),
            0);
  const Packet sent = counting_bytes(10500);
  const auto to = test::socket_address(peer());

  ASSERT_EQ(::sendto(socket.get(), sent.data(), sent.size(), 0, to.get(), to.size),
            static_cast<ssize_t>(sent.size()));

  const auto frame = read_from_host(ip_protocol::kUdp);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.gso_type, GsoType::UdpL4);
  const auto packets = test::cut({*frame});
  ASSERT_EQ(packets.size(), 11u);
  expect_right_checksums(packets, 6);
  Packet received;
  for (const Packet& packet : packets) {
    const Bytes payload = parse_ip_packet(packet)->udp()->payload;
    received.insert(received.end(), payload.begin(), payload.end());
  }
  EXPECT_EQ(received, sent);
}

TEST_P(TunOffload, TheChecksumOfASinglePacketIsFinished) {
  const Packet payload = counting_bytes(333);
  test::send_udp(peer(), payload);

  const auto frame = read_from_host(ip_protocol::kUdp);

  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->header.needs_checksum);
  const auto packets = test::cut({*frame});
  ASSERT_EQ(packets.size(), 1u);
  expect_right_checksums(packets, 6);
}

}  // namespace
}  // namespace ringway
