#include <gtest/gtest.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/too_big_answers.h"
#include "tests/dataplane/worker_rig.h"
#include "tests/support/offload_sets.h"

// Packets that are larger than their way takes, through real workers: who hears of it, and what
// arrives all the same.
namespace ringway {
namespace {

using test::counting_bytes;
using test::HostSocket;
using test::inner_packet;
using test::kAll;
using test::kNone;
using test::Packet;
using test::TunnelClient;
using test::WorkerRig;

constexpr std::uint16_t kNarrow = 1300;

/// A UDP socket of the host, with or without Don't Fragment, that hears of ICMP errors.
class ListeningSocket {
 public:
  ListeningSocket(const IpAddress& address, bool may_fragment)
      : is_v6_(!address.is_v4()),
        fd_(::socket(is_v6_ ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const SocketName name = SocketName::of({.address = address}, is_v6_);
    EXPECT_EQ(::bind(fd_.get(), name.get(), name.size), 0);
    // IP_PMTUDISC_OMIT takes no notice of what it is told.
    set(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, may_fragment ? IP_PMTUDISC_OMIT : IP_PMTUDISC_PROBE);
    set(IP_RECVERR, IPV6_RECVERR, 1);
  }
  void send(const Endpoint& to, Bytes payload, std::uint16_t segment_size = 0) const {
    OutgoingMessage message;
    message.prepare({.remote = to, .local = {}}, is_v6_, payload, segment_size);
    // With IP_RECVERR an answer to an earlier packet fails the next send, once.
    ssize_t sent = -1;
    for (int attempt = 0; attempt < 8 && sent < 0; ++attempt) {
      sent = ::sendmsg(fd_.get(), &message.header(), 0);
    }
    EXPECT_EQ(sent, static_cast<ssize_t>(payload.size())) << std::strerror(errno);
  }
  /// The MTU that the next "too big" names; 0 when there is none in time.
  [[nodiscard]] std::uint32_t told_mtu(int patience_ms = test::kPatienceMs) const {
    pollfd waiting{.fd = fd_.get(), .events = 0, .revents = 0};
    if (::poll(&waiting, 1, patience_ms) != 1) return 0;
    std::array<std::uint8_t, 2048> bytes{};
    alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
    iovec vector{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(fd_.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return 0;
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
      sock_extended_err error{};
      if (one->cmsg_len < CMSG_LEN(sizeof error)) continue;
      std::memcpy(&error, CMSG_DATA(one), sizeof error);
      if (error.ee_errno == EMSGSIZE) return error.ee_info;
    }
    return 0;
  }

 private:
  void set(int v4_option, int v6_option, int value) const {
    EXPECT_EQ(::setsockopt(fd_.get(), is_v6_ ? IPPROTO_IPV6 : IPPROTO_IP,
                           is_v6_ ? v6_option : v4_option, &value, sizeof value),
              0);
  }
  bool is_v6_;
  UniqueFd fd_;
};

/// The UDP payload of a packet that the client receives in fragments.
Packet reassembled(TunnelClient& client) {
  Packet datagram;
  while (true) {
    const Packet packet = client.receive();
    if (packet.empty()) return {};
    EXPECT_LE(packet.size(), kNarrow);
    const auto ip = parse_ip_packet(packet);
    EXPECT_EQ((load_be16(packet.data() + 6) & 0x1fffu) * 8, datagram.size());
    datagram.insert(datagram.end(), ip->payload().begin(), ip->payload().end());
    if ((load_be16(packet.data() + 6) & 0x2000) == 0) break;
  }
  datagram.erase(datagram.begin(), datagram.begin() + kUdpHeaderSize);
  return datagram;
}

/// What the client hears: from whom, and the MTU.
struct Told {
  IpAddress from;
  std::uint32_t mtu = 0;
};
Told told(TunnelClient& client) {
  const Packet packet = client.receive();
  const auto ip = parse_ip_packet(packet);
  if (!ip) return {};
  const Bytes message = ip->payload();
  EXPECT_EQ(message[0], ip->is_v4() ? 3 : 2);
  return {ip->source(),
          ip->is_v4() ? load_be16(message.data() + 6) : load_be32(message.data() + 4)};
}

TunnelClient& connect_narrow(WorkerRig& rig, PeerId peer) {
  return rig.connect(peer, test::ip("127.0.0.1"), {.tun_mtu = kNarrow});
}

/// As inner_packet(), without Don't Fragment.
Packet cuttable(const Endpoint& from, const Endpoint& to, Bytes payload) {
  Packet packet = inner_packet(from, to, payload);
  store_be16(packet.data() + 6, 0);
  store_be16(packet.data() + 10, 0);
  store_be16(packet.data() + 10, test::reference_checksum(Bytes(packet).first(kIpv4HeaderMin)));
  return packet;
}

// Security goal C08.
TEST(WorkerMisfit, TellsTheHostWhatAClientsPathTakes) {
  for (const Offloads& offloads : {kAll, kNone}) {
    WorkerRig rig({.offloads = offloads});
    TunnelClient& client = connect_narrow(rig, {0});
    for (const bool v4 : {true, false}) {
      const ListeningSocket host(v4 ? rig.server_v4 : rig.server_v6, false);
      const std::size_t headers = v4 ? 28 : 48;
      const Endpoint to{.address = v4 ? client.v4 : client.v6, .port = 5000};

      host.send(to, Packet(1500 - headers));

      EXPECT_EQ(host.told_mtu(), kNarrow) << "IPv4: " << v4;
      host.send(to, Packet(kNarrow - headers));
      EXPECT_EQ(client.receive().size(), kNarrow);
    }
    EXPECT_EQ(rig.group->counters().of(Drop::TooBig), 2u);
    EXPECT_EQ(rig.group->counters().of(Counter::TooBigAnswers), 2u);
  }
}

TEST(WorkerMisfit, FragmentsWhatItsSenderAllowsToBeCut) {
  for (const Offloads& offloads : {kAll, kNone}) {
    WorkerRig rig({.offloads = offloads});
    TunnelClient& client = connect_narrow(rig, {0});
    const ListeningSocket host(rig.server_v4, true);
    const Packet payload = counting_bytes(1472);

    host.send({client.v4, 5000}, payload);

    EXPECT_EQ(reassembled(client), payload);
    EXPECT_EQ(rig.group->counters().of(Drop::TooBig), 0u);
    EXPECT_EQ(rig.group->counters().of(Counter::InnerFragmentedPackets), 1u);
    EXPECT_EQ(rig.group->counters().of(Counter::InnerFragments), 2u);
  }
}

// The kernel gives the TUN one super-packet, whose checksum is not finished.
TEST(WorkerMisfit, AnswersASuperPacketOnceAndCountsEachOfItsPackets) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = connect_narrow(rig, {0});
  for (const bool v4 : {true, false}) {
    const ListeningSocket host(v4 ? rig.server_v4 : rig.server_v6, false);

    host.send({.address = v4 ? client.v4 : client.v6, .port = 5000}, Packet(10 * 1400 + 500), 1400);

    EXPECT_EQ(host.told_mtu(), kNarrow);
    EXPECT_TRUE(rig.eventually([v4](const CounterSnapshot& counters) {
      return counters.of(Drop::TooBig) == (v4 ? 11 : 22) &&
             counters.of(Counter::TooBigAnswers) == (v4 ? 1 : 2);
    }));
  }
}

TEST(WorkerMisfit, FragmentsTheSegmentsOfASuperPacket) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = connect_narrow(rig, {0});
  const ListeningSocket host(rig.server_v4, true);
  const Packet bytes = counting_bytes(10 * 1400 + 500);

  host.send({client.v4, 5000}, bytes, 1400);

  Packet received;
  for (int i = 0; i < 11; ++i) {
    const Packet one = reassembled(client);
    ASSERT_FALSE(one.empty()) << i;
    received.insert(received.end(), one.begin(), one.end());
  }
  EXPECT_EQ(received, bytes);
}

// Security goal C08. The TUN's MTU was raised from outside. Without offloads the buffers end behind
// the tunnel's MTU, and so does what is read.
TEST(WorkerMisfit, TellsTheHostTheTunnelsMtu) {
  for (const Offloads& offloads : {kAll, kNone}) {
    WorkerRig rig({.mtu = 1400, .offloads = offloads});
    TunnelClient& client = rig.connect({0});
    test::run("ip link set " + rig.device_name + " mtu 9000");
    for (const bool v4 : {true, false}) {
      const ListeningSocket host(v4 ? rig.server_v4 : rig.server_v6, false);
      const Endpoint to{.address = v4 ? client.v4 : client.v6, .port = 5000};

      host.send(to, Packet(8000));

      EXPECT_EQ(host.told_mtu(), 1400u) << "IPv4: " << v4;
    }
    EXPECT_EQ(rig.group->counters().of(Drop::TooBig), 2u);
  }
}

// Security goal C08.
TEST(WorkerMisfit, TellsAClientWhatTheTunTakes) {
  WorkerRig rig({.offloads = kAll});
  const HostSocket host(rig.server_v4);
  const HostSocket host_v6(rig.server_v6);
  TunnelClient& client = rig.connect({0});

  client.send(inner_packet({client.v4, 5000}, host.local(), Packet(1600)));
  const Told v4 = told(client);
  EXPECT_EQ(v4.from, rig.server_v4);
  EXPECT_EQ(v4.mtu, 1500u);

  client.send(inner_packet({client.v6, 5000}, host_v6.local(), Packet(60'000)));
  const Told v6 = told(client);
  EXPECT_EQ(v6.from, rig.server_v6);
  EXPECT_EQ(v6.mtu, 1500u);
  EXPECT_EQ(rig.group->counters().of(Drop::Oversize), 2u);
}

TEST(WorkerMisfit, CutsForTheTunWhatAClientAllowsToBeCut) {
  WorkerRig rig({.offloads = kAll});
  const HostSocket host(rig.server_v4);
  TunnelClient& client = rig.connect({0});
  const Packet payload = counting_bytes(6000);

  client.send(cuttable({client.v4, 5000}, host.local(), payload));

  const auto received = host.receive();
  ASSERT_TRUE(received.has_value());
  EXPECT_TRUE(std::ranges::equal(received->datagram, payload));
}

// Security goal C08. With two workers the packet changes hands before it meets the narrow path, and
// the answer on its way back.
TEST(WorkerMisfit, TellsAClientWhatAnothersPathTakes) {
  for (const std::uint16_t workers : {std::uint16_t{1}, std::uint16_t{2}}) {
    WorkerRig rig({.workers = workers, .client_to_client = true, .offloads = kAll});
    TunnelClient& from = rig.connect({0});
    TunnelClient& to = connect_narrow(rig, {1});
    for (const bool v4 : {true, false}) {
      const Endpoint source{.address = v4 ? from.v4 : from.v6, .port = 4000};
      const Endpoint destination{.address = v4 ? to.v4 : to.v6, .port = 5000};

      from.send(inner_packet(source, destination, Packet(1400)));

      const Told answer = told(from);
      EXPECT_EQ(answer.from, v4 ? rig.server_v4 : rig.server_v6) << workers;
      EXPECT_EQ(answer.mtu, kNarrow) << workers;
    }
    const Packet payload = counting_bytes(1400);
    from.send(cuttable({from.v4, 4000}, {to.v4, 5000}, payload));
    EXPECT_EQ(reassembled(to), payload);
  }
}

// RFC 8200 5: every path has to carry so much; over one that cannot, the datagram is fragmented
// outside.
TEST(WorkerMisfit, SendsIpv6UpTo1280BytesOverAnyPath) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = rig.connect({0}, test::ip("127.0.0.1"), {.tun_mtu = 1000});
  const ListeningSocket host(rig.server_v6, false);
  const Endpoint to{.address = client.v6, .port = 5000};

  host.send(to, Packet(1280 - 48));
  EXPECT_EQ(client.receive().size(), 1280u);

  host.send(to, Packet(1281 - 48));
  EXPECT_EQ(host.told_mtu(), 1280u);
}

// Security goal C08: what is told is told at a bounded rate.
TEST(WorkerMisfit, TellsABurstAndNotAFlood) {
  WorkerRig rig({.offloads = kAll});
  TunnelClient& client = connect_narrow(rig, {0});
  const ListeningSocket host(rig.server_v4, false);

  for (int i = 0; i < 400; ++i) host.send({client.v4, 5000}, Packet(1472));

  EXPECT_TRUE(rig.eventually([](const CounterSnapshot& counters) {
    return counters.of(Drop::TooBig) == 400 &&
           counters.of(Counter::TooBigAnswers) + counters.of(Counter::TooBigUnanswered) == 400;
  }));
  const CounterSnapshot counters = rig.group->counters();
  EXPECT_GE(counters.of(Counter::TooBigAnswers), std::uint64_t{TooBigAnswers::kPeerBurst});
  EXPECT_GT(counters.of(Counter::TooBigUnanswered), 0u);
}

}  // namespace
}  // namespace ringway
