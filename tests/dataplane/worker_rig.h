#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/channel/session.h"
#include "dataplane/worker_group.h"
#include "tests/dataplane/channel/test_keys.h"
#include "tests/dataplane/link_client.h"
#include "tests/tun/host_side.h"
#include "tests/tun/packets.h"
#include "tun/link_config.h"
#include "tun/tun_device.h"

/// Real workers between a real TUN and real sockets, with sessions installed by command: everything
/// of a server but its control channel.
namespace ringway::test {

/// A UDP packet between two inner addresses, with the checksums that the host's stack asks for.
inline Packet inner_packet(const Endpoint& from, const Endpoint& to, Bytes payload) {
  const bool v4 = from.address.is_v4();
  Packet packet = udp_packet(v4, payload, {.source_port = from.port, .destination_port = to.port});
  const auto at = packet.begin() + (v4 ? 12 : 8);
  const Bytes source = from.address.wire();
  std::ranges::copy(source, at);
  std::ranges::copy(to.address.wire(), at + static_cast<std::ptrdiff_t>(source.size()));
  const std::size_t transport = v4 ? kIpv4HeaderMin : kIpv6HeaderSize;
  if (v4) {
    store_be16(packet.data() + 10, 0);
    store_be16(packet.data() + 10, reference_checksum(Bytes(packet).first(kIpv4HeaderMin)));
  }
  store_be16(packet.data() + transport + 6,
             reference_transport_checksum(packet, transport, transport + 6));
  return packet;
}

/// The UDP payload of an inner packet.
inline Bytes payload_of(Bytes packet) {
  return packet.subspan((packet[0] >> 4 == 4 ? kIpv4HeaderMin : kIpv6HeaderSize) + kUdpHeaderSize);
}

/// A client: its socket, its half of the keys and its inner addresses.
class TunnelClient {
 public:
  TunnelClient(PeerId peer, const Endpoint& server)
      : link(server),
        peer_id(peer),
        v4(ip("10.8.0.10").plus(peer.value)),
        v6(ip("fd00:8::10").plus(peer.value)),
        session_(peer, {}, {}, Instant{}) {
    DataKeys keys = make_peer_keys({0}, peer.value);
    keys.send_from = {};
    session_.keys().install(std::move(keys));
  }

  [[nodiscard]] Packet seal(Bytes inner) {
    Packet out(inner.size() + kDataOverheadMax);
    const auto datagram = session_.seal(inner, out, Instant{});
    return {datagram->begin(), datagram->end()};
  }
  void send(Bytes inner) { link.send(seal(inner)); }
  void send_train(const std::vector<Packet>& inner) {
    std::vector<Packet> datagrams;
    for (const Packet& packet : inner) datagrams.push_back(seal(packet));
    link.send_train(datagrams);
  }
  /// The next inner packet that opens; empty when there is none in time.
  [[nodiscard]] Packet receive(int patience_ms = kPatienceMs) {
    auto datagram = link.receive(patience_ms);
    if (!datagram) return {};
    const auto header = parse_data_header(*datagram);
    const auto opened = session_.open(header.value(), *datagram, Instant{});
    if (!opened) return {};
    return {opened->payload.begin(), opened->payload.end()};
  }

  LinkClient link;
  PeerId peer_id;
  IpAddress v4;
  IpAddress v6;

 private:
  Session session_;
};

struct RigSettings {
  std::uint16_t workers = 1;
  bool client_to_client = false;
  /// Off: the kernel's hash decides, so that datagrams reach workers that do not own them.
  bool steer_link = true;
  bool multishot_tun_reads = true;
  std::uint16_t mtu = 1500;
  /// Off: nothing runs until start(), so that what is sent before waits in the kernel.
  bool starts = true;
  WorkerLimits limits;
  Offloads offloads = {.link_gso = false, .link_gro = false, .tun = {}};
  /// Bytes; 0: the default.
  std::uint32_t send_buffer_size = 0;
  PacingSettings pacing;
  /// A TCP listener beside the UDP one; see WorkerRig::tcp_port.
  bool tcp = false;
  Duration hand_window{60s};
};

/// All that makes an uplink fast.
inline constexpr Offloads kUplinkOffloads = {
    .link_gso = false, .link_gro = true, .tun = {.checksum = true, .tcp = true, .udp = true}};

class WorkerRig {
 public:
  explicit WorkerRig(const RigSettings& settings = {}) {
    run("ip link set lo up");
    auto device = TunDevice::open(
        {.name = "tun", .queue_count = settings.workers, .offloads = settings.offloads.tun});
    RW_ASSERT(device.has_value());
    device_name = device->name();
    auto config = LinkConfig::open(device_name);
    RW_ASSERT(config.has_value());
    RW_ASSERT(config
                  ->apply({.v4 = InterfaceAddress{server_v4, 24},
                           .v6 = InterfaceAddress{server_v6, 64},
                           .mtu = settings.mtu})
                  .has_value());
    auto sockets = open_udp_sockets({.port = 0,
                                     .send_buffer_size = settings.send_buffer_size,
                                     .gro = settings.offloads.link_gro},
                                    settings.workers);
    RW_ASSERT(sockets.has_value());
    port = sockets->sockets[0].local().port;
    if (!settings.steer_link) {
      const int unused = 0;
      RW_ASSERT(::setsockopt(sockets->sockets[0].fd(), SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused,
                             sizeof unused) == 0);
    }

    WorkerGroupSettings group_settings;
    group_settings.datapath = {.client_to_client = settings.client_to_client,
                               .own_v4 = server_v4,
                               .own_v6 = server_v6,
                               .pool_v4 = Prefix::parse("10.8.0.0/24"),
                               .pool_v6 = Prefix::parse("fd00:8::/64"),
                               .tun_mtu = settings.mtu,
                               .sessions_max = 64};
    group_settings.limits = settings.limits;
    group_settings.hand_window = settings.hand_window;
    group_settings.offloads = settings.offloads;
    group_settings.pacing = settings.pacing;
    group_settings.multishot_tun_reads = settings.multishot_tun_reads;
    group_settings.listeners.push_back(std::move(*sockets));
    if (settings.tcp) {
      auto listeners = open_tcp_listeners({.port = 0}, settings.workers);
      RW_ASSERT(listeners.has_value());
      tcp_port = listeners->listeners[0].local().port;
      group_settings.tcp_listeners.push_back(std::move(*listeners));
    }
    for (std::uint16_t i = 0; i < settings.workers; ++i) {
      group_settings.tun_queues.push_back(device->take_queue(i));
    }
    auto created = WorkerGroup::create(std::move(group_settings));
    RW_ASSERT(created.has_value());
    group = std::move(*created);
    if (settings.starts) start();
  }
  void start() const {
    const auto started = group->start();
    RW_ASSERT(started.has_value());
    // As a server does it: a system call that the filter lacks ends the test.
    const auto running = group->run(UnneededCall::Kills);
    RW_ASSERT(running.has_value());
  }

  /// A session for a client that reaches the server at `server`, and its routes.
  TunnelClient& connect(PeerId peer, const IpAddress& server = ip("127.0.0.1"),
                        const SessionSettings& settings = {}) {
    TunnelClient& client = clients_.emplace_back(peer, Endpoint{.address = server, .port = port});
    DataKeys keys = make_keys({0}, peer.value);
    keys.send_from = {};
    const WorkerId owner = owner_of(peer, group->size());
    command(owner, AddSession{.peer_id = peer,
                              .endpoint = {.remote = client.link.local(), .local = server},
                              .settings = settings});
    command(owner, InstallKeys{.peer_id = peer, .keys = std::move(keys)});
    for (std::uint16_t worker = 0; worker < group->size(); ++worker) {
      for (const IpAddress& address : {client.v4, client.v6}) {
        command({worker}, AddRoute{.prefix = Prefix::host(address), .peer_id = peer});
      }
    }
    return client;
  }
  void command(WorkerId to, WorkerCommand command) {
    ASSERT_TRUE(group->worker(to).push(std::move(command)));
    if (wakes) group->worker(to).wake();
  }
  /// Waits until the workers' counters satisfy `wanted`; false when they do not in time.
  [[nodiscard]] bool eventually(const std::function<bool(const CounterSnapshot&)>& wanted) const {
    const Instant deadline = monotonic_now() + Duration{std::chrono::milliseconds(kPatienceMs)};
    while (monotonic_now() < deadline) {
      if (wanted(group->counters())) return true;
      std::this_thread::yield();
    }
    return false;
  }

  /// The host's own end of the tunnel.
  const IpAddress server_v4 = ip("10.8.0.1");
  const IpAddress server_v6 = ip("fd00:8::1");
  std::string device_name;
  std::uint16_t port = 0;
  std::uint16_t tcp_port = 0;
  std::unique_ptr<WorkerGroup> group;
  /// Off: commands lie in their queue until something else wakes the worker.
  bool wakes = true;

 private:
  std::deque<TunnelClient> clients_;
};

/// A UDP socket of the host, on an address of the TUN.
class HostSocket {
 public:
  explicit HostSocket(const IpAddress& address) {
    auto group = open_udp_sockets({.address = address, .port = 0}, 1);
    RW_ASSERT(group.has_value());
    sockets_ = std::move(group->sockets);
  }
  [[nodiscard]] Endpoint local() const { return sockets_[0].local(); }
  [[nodiscard]] const UdpSocket& socket() const { return sockets_[0]; }
  [[nodiscard]] std::optional<Received> receive(int patience_ms = kPatienceMs) const {
    return receive_on(sockets_[0], patience_ms);
  }
  void send(const Endpoint& to, Bytes payload) const {
    EXPECT_EQ(sockets_[0].send({.remote = to, .local = local().address}, payload), 0);
  }

 private:
  std::vector<UdpSocket> sockets_;
};

inline const Packet kHello = counting_bytes(100);

/// The client sends to the host, the host answers.
inline void expect_both_ways(TunnelClient& client, const HostSocket& host, Bytes payload) {
  const IpAddress inner = host.local().address.is_v4() ? client.v4 : client.v6;
  const Endpoint from{.address = inner, .port = 5000};
  client.send(inner_packet(from, host.local(), payload));
  const auto received = host.receive();
  ASSERT_TRUE(received.has_value()) << "uplink of peer " << client.peer_id.value;
  EXPECT_EQ(received->from.remote, from);
  EXPECT_TRUE(std::ranges::equal(received->datagram, payload));

  host.send(from, payload);
  const Packet answer = client.receive();
  ASSERT_FALSE(answer.empty()) << "downlink of peer " << client.peer_id.value;
  EXPECT_TRUE(std::ranges::equal(payload_of(answer), payload));
}

}  // namespace ringway::test
