#pragma once

#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/channel/session.h"
#include "dataplane/datapath.h"
#include "tests/dataplane/channel/test_keys.h"
#include "tests/dataplane/tun_side.h"
#include "tests/tun/packets.h"

/// One Datapath and the clients that talk to it, for tests.
namespace ringway::test {

inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
inline Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

/// A packet with these addresses and a right IPv4 header checksum; UDP unless given otherwise.
inline Packet packet_between(std::string_view source, std::string_view destination,
                             std::size_t payload_size = 32) {
  const IpAddress from = address(source);
  Packet packet = udp_packet(from.is_v4(), counting_bytes(payload_size));
  const std::size_t at = from.is_v4() ? 12 : 8;
  const IpAddress to = address(destination);
  std::ranges::copy(from.wire(), packet.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::copy(to.wire(),
                    packet.begin() + static_cast<std::ptrdiff_t>(at + from.wire().size()));
  if (from.is_v4()) {
    store_be16(packet.data() + 10, 0);
    store_be16(packet.data() + 10, reference_checksum(Bytes(packet).first(kIpv4HeaderMin)));
  }
  return packet;
}

inline LinkEndpoint endpoint_of(PeerId peer) {
  return {.remote = {.address = IpAddress::v4(0xc6336400 + peer.value % 256),
                     .port = static_cast<std::uint16_t>(20000 + peer.value)},
          .local = IpAddress::v4(0xc0000201)};
}

inline DatapathSettings rig_settings() {
  DatapathSettings settings;
  settings.own_v4 = address("10.8.0.1");
  settings.own_v6 = address("fd00::1");
  settings.pool_v4 = prefix("10.8.0.0/24");
  settings.pool_v6 = prefix("fd00::/64");
  settings.sessions_max = 16;
  return settings;
}

/// The client's end of a session.
struct RigClient {
  PeerId peer_id;
  LinkEndpoint endpoint;
  std::unique_ptr<Session> session;

  /// `payload` sealed for the server.
  [[nodiscard]] Packet seal(Bytes payload, Instant now = kStart) {
    Packet out(payload.size() + kDataOverheadMax);
    const auto datagram = session->seal(payload, out, now);
    return Packet(datagram->begin(), datagram->end());
  }
  /// What the server sealed; empty when it does not open.
  [[nodiscard]] Packet open(Bytes datagram, Instant now = kStart) {
    Packet copy(datagram.begin(), datagram.end());
    const auto opened = session->open(parse_data_header(copy).value(), copy, now);
    if (!opened) return {};
    return Packet(opened->payload.begin(), opened->payload.end());
  }
};

class DatapathRig {
 public:
  explicit DatapathRig(const DatapathSettings& settings = rig_settings())
      : datapath(settings), self_(settings.self) {}

  /// A session with key 0 at both ends, and the routes of a client.
  RigClient& connect(PeerId peer, const std::vector<std::string_view>& routes,
                     const SessionSettings& settings = {}) {
    RigClient& client = clients_.emplace_back(RigClient{peer, endpoint_of(peer), nullptr});
    client.session = std::make_unique<Session>(peer, client.endpoint, settings, kStart);
    datapath.handle_command(
        AddSession{.peer_id = peer, .endpoint = client.endpoint, .settings = settings}, kStart);
    DataKeys server_keys = make_keys({0}, peer.value);
    DataKeys client_keys = make_peer_keys({0}, peer.value);
    server_keys.in_epochs = client_keys.in_epochs = settings.in_epochs;
    install(client, std::move(server_keys), client_keys);
    for (const std::string_view route : routes)
      datapath.handle_command(AddRoute{.prefix = prefix(route), .peer_id = peer}, kStart);
    return client;
  }

  void install(RigClient& client, DataKeys server_keys, const DataKeys& client_keys) {
    client.session->keys().install(client_keys);
    datapath.handle_command(InstallKeys{.peer_id = client.peer_id, .keys = std::move(server_keys)},
                            kStart);
  }

  /// The client sends `inner`; the verdict on its datagram. Verdict::packet lies in `buffer`.
  Verdict send(RigClient& client, Bytes inner, Instant now = kStart) {
    return receive(client.seal(inner, now), client.endpoint, now);
  }
  Verdict receive(Packet datagram, const LinkEndpoint& from, Instant now = kStart) {
    buffer = std::move(datagram);
    return datapath.handle_datagram(buffer, from, now);
  }
  /// The TUN gives `inner`. Verdict::packet lies in `buffer`.
  Verdict read_tun(Bytes inner, Instant now = kStart) {
    buffer.assign(inner.size() + Datapath::kSealOverheadMax, 0);
    return seal_for_peer(datapath, self_, inner, buffer, now);
  }
  [[nodiscard]] std::uint64_t count(Drop drop) const {
    return datapath.drops()[static_cast<std::size_t>(drop)];
  }

  Datapath datapath;
  Packet buffer;

 private:
  WorkerId self_;
  std::deque<RigClient> clients_;
};

}  // namespace ringway::test
