#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "base/secret.h"
#include "control/client_core.h"
#include "control/control_plane.h"
#include "control/session_terms.h"
#include "dataplane/datapath.h"
#include "dataplane/martian.h"
#include "tests/dataplane/tun_side.h"
#include "tests/support/certificates.h"
#include "tests/support/seeded_random.h"
#include "tun/ip_packet.h"

// A whole server without its sockets, a ControlPlane and two Datapaths, under a script. The input
// is a list of steps, each a byte that says what happens and a length-prefixed text: datagrams of
// strangers, those of two honest clients, whole or damaged, late, twice or from elsewhere; inner
// packets either way; time, clocks, stale reports, ends of connections, revocations, goodbyes.
// After each step:
//   - tables agree, addresses are leased to channels only, and what may be held is bounded;
//   - what goes to the TUN has a source that was leased, and no martian addresses;
//   - a stranger's datagram has one answer at most, no more than 12 bytes longer;
//   - whoever asks to be called at once has something to do.
// In the end everybody falls silent: nothing is left, and no secret is.

namespace ringway {
namespace {

constexpr std::uint16_t kWorkers = 2;
constexpr std::size_t kStepsMax = 400;
constexpr UnixTime kWall{1'795'458'636};

ServerConfig server_config() {
  ServerConfig config;
  config.tunnel.network_v4 = Prefix::parse("10.8.0.0/28");
  config.timers.hand_window = 20s;
  config.timers.ping = 3s;
  config.timers.ping_restart = 12s;
  config.push = {"ping 3", "ping-restart 10"};
  config.clients_max = 8;
  return config;
}

TlsContext make_tls(Side side, std::string_view cert, std::string_view key) {
  auto context = TlsContext::make(side,
                                  {.ca_pem = std::string(test::kCaPem),
                                   .cert_pem = std::string(cert),
                                   .key_pem = std::string(key)},
                                  kWall);
  RW_ASSERT(context.has_value());
  return std::move(*context);
}

/// What is the same for every input.
struct Fixture {
  ServerConfig config = server_config();
  TlsWrap wrap;
  TlsContext server_tls = make_tls(Side::Server, test::kServerCertPem, test::kServerKeyPem);
  TlsContext client_tls[2] = {
      make_tls(Side::Client, test::kClientCertPem, test::kClientKeyPem),
      make_tls(Side::Client, test::kOtherClientCertPem, test::kOtherClientKeyPem)};
};
const Fixture& fixture() {
  static const Fixture instance;
  return instance;
}

LinkEndpoint place(std::uint8_t number) {
  const char* address = number % 2 == 0 ? "203.0.113.7" : "2001:db8:99::7";
  return {.remote = {.address = *IpAddress::parse(address),
                     .port = static_cast<std::uint16_t>(50'000 + number / 2 % 4)},
          .local = *IpAddress::parse("198.51.100.1"),
          .listener = 0};
}

struct InFlight {
  LinkEndpoint place;
  std::vector<std::uint8_t> bytes;
};

class Script {
 public:
  explicit Script(Bytes input)
      : input_(input),
        random_(input.size()),
        plane_(fixture().config, fixture().wrap, fixture().server_tls, random_, kWorkers, {},
               now_) {
    for (std::uint16_t i = 0; i < kWorkers; ++i) {
      DatapathSettings settings{.self = {i}, .worker_count = kWorkers, .sessions_max = 16};
      settings.pool_v4 = fixture().config.tunnel.network_v4;
      settings.own_v4 = settings.pool_v4->address.plus(1);
      settings.admission = admission_settings(fixture().config, fixture().wrap);
      workers_.push_back(std::make_unique<Datapath>(settings));
    }
    pump();
    for (std::size_t i = 0; i < 2; ++i) start_client(i);
  }

  void run() {
    for (std::size_t i = 0; i < kStepsMax && input_.left() > 0; ++i) {
      step();
      check();
    }
    end();
  }

 private:
  void step() {
    const std::uint8_t what = input_.u8();
    const std::size_t whom = what >> 7;
    switch (what & 15) {
      case 0:
      case 1: return deliver_to_server(0);
      case 2:
      case 3: return deliver_to_client(0);
      case 4: return pass(Duration{20ms} * input_.u8());
      case 5: return damage_or_move();
      case 6: return strangers_datagram();
      case 7: return start_client(whom);
      case 8: return inner_from_client(whom);
      case 9: return inner_from_tun();
      case 10: return client_does(whom);
      case 11: return report();
      case 12: return plane_.handle_connection_ended(place(input_.u8()), now_);
      case 13: return operator_does();
      case 14: return exchange();
      default: return deliver_to_server(input_.u8());
    }
  }

  std::vector<std::uint8_t> text() {
    const Bytes bytes = input_.take(std::min<std::size_t>(input_.u8() * 4u, input_.left()));
    return {bytes.begin(), bytes.end()};
  }

  void deliver_to_server(std::size_t which) {
    if (to_server_.empty()) return;
    which %= to_server_.size();
    InFlight datagram = std::move(to_server_[which]);
    to_server_.erase(to_server_.begin() + static_cast<std::ptrdiff_t>(which));
    server_hears(datagram.bytes, datagram.place);
  }

  void damage_or_move() {
    if (to_server_.empty()) return;
    InFlight& datagram = to_server_[input_.u8() % to_server_.size()];
    const std::uint8_t how = input_.u8();
    if (how % 4 == 0) datagram.place = place(input_.u8());
    if (how % 4 == 1) to_server_.push_back(InFlight(datagram));
    if (how % 4 == 2) datagram.bytes[input_.u16() % datagram.bytes.size()] ^= input_.u8();
    if (how % 4 == 3) datagram.bytes.resize(1 + input_.u16() % datagram.bytes.size());
  }

  void strangers_datagram() {
    const LinkEndpoint from = place(input_.u8());
    std::vector<std::uint8_t> bytes = text();
    if (bytes.empty()) return;
    const std::size_t channels = plane_.table_sizes().channels;
    answers_ = {};
    const bool is_stranger = server_hears(bytes, from) != Verdict::Way::Control;
    if (!is_stranger || plane_.table_sizes().channels != channels) return;
    RW_ASSERT(std::ranges::count(answers_, from, &InFlight::place) <= 1);
    for (const InFlight& answer : answers_) {
      RW_ASSERT(answer.place != from || answer.bytes.size() <= bytes.size() + 12);
    }
  }

  Verdict::Way server_hears(std::vector<std::uint8_t>& bytes, const LinkEndpoint& from) {
    using Way = Verdict::Way;
    const std::vector<std::uint8_t> as_it_came = bytes;
    Verdict verdict = worker_hears(bytes.size() % kWorkers, bytes, from);
    if (verdict.way == Way::Worker) verdict = worker_hears(verdict.worker.value, bytes, from);
    const bool is_control = verdict.way == Way::Control || verdict.way == Way::Newcomer;
    if (is_control) plane_.handle_datagram(as_it_came, from, now_);
    if (verdict.way == Way::Tun) judge_inner(verdict.packet);
    serve_workers();
    return verdict.way;
  }

  Verdict worker_hears(std::size_t worker, MutableBytes bytes, const LinkEndpoint& from) {
    workers_[worker]->set_wall(now_.wall);
    const Verdict verdict = workers_[worker]->handle_datagram(bytes, from, now_.instant);
    if (verdict.way == Verdict::Way::Link) send_to_client(verdict.endpoint, verdict.packet);
    return verdict;
  }

  void judge_inner(Bytes packet) const {
    const auto ip = parse_ip_packet(packet);
    RW_ASSERT(ip.has_value());
    RW_ASSERT(!is_martian(ip->source()) && !is_martian(ip->destination()));
    RW_ASSERT(fixture().config.tunnel.network_v4->contains(ip->source()));
    RW_ASSERT(ip->source() != fixture().config.tunnel.network_v4->address.plus(1));
  }

  void pump() {
    std::array<std::uint8_t, ControlPlane::kDatagramSizeMax> scratch;
    while (auto addressed = plane_.poll_command()) {
      workers_[addressed->worker.value]->handle_command(std::move(addressed->command),
                                                        now_.instant);
    }
    while (const auto datagram = plane_.poll_transmit(scratch, now_)) {
      if (!datagram->bytes.empty()) send_to_client(datagram->to, datagram->bytes);
    }
    while (plane_.poll_event()) {
    }
  }

  void serve_workers() {
    std::array<std::uint8_t, 2048> scratch;
    for (const auto& worker : workers_) {
      while (const auto verdict = worker->poll_transmit(scratch, now_.instant)) {
        send_to_client(verdict->endpoint, verdict->packet);
      }
      while (const auto said = worker->poll_report()) plane_.handle_report(*said, now_);
    }
    pump();
  }

  void send_to_client(const LinkEndpoint& to, Bytes bytes) {
    answers_.push_back({to, {bytes.begin(), bytes.end()}});
    if (to_clients_.size() < 64) to_clients_.push_back(answers_.back());
  }

  void start_client(std::size_t whom) {
    clients_[whom] = std::make_unique<ClientCore>(
        ClientSettings{.channel = {.side = Side::Client, .hand_window = 20s}}, fixture().wrap,
        fixture().client_tls[whom], random_, now_);
    places_[whom] = place(static_cast<std::uint8_t>(whom));
    take_from_client(whom);
  }

  void deliver_to_client(std::size_t which) {
    if (to_clients_.empty()) return;
    which %= to_clients_.size();
    InFlight datagram = std::move(to_clients_[which]);
    to_clients_.erase(to_clients_.begin() + static_cast<std::ptrdiff_t>(which));
    for (std::size_t whom = 0; whom < 2; ++whom) {
      if (places_[whom].remote != datagram.place.remote) continue;
      clients_[whom]->handle_datagram(datagram.bytes, now_);
      take_from_client(whom);
      return;
    }
  }

  void take_from_client(std::size_t whom) {
    std::array<std::uint8_t, ClientCore::kDatagramSizeMax> scratch;
    while (const auto bytes = clients_[whom]->poll_transmit(scratch, now_)) {
      send_to_server(whom, *bytes);
    }
    while (clients_[whom]->poll_event()) {
    }
  }

  void send_to_server(std::size_t whom, Bytes bytes) {
    if (to_server_.size() < 64) to_server_.push_back({places_[whom], {bytes.begin(), bytes.end()}});
  }

  void client_does(std::size_t whom) {
    const std::uint8_t what = input_.u8() % 4;
    if (what == 0) clients_[whom]->renegotiate(now_);
    if (what == 1) clients_[whom]->leave(now_);
    if (what > 1) places_[whom] = place(input_.u8());
    take_from_client(whom);
  }

  void inner_from_client(std::size_t whom) {
    std::vector<std::uint8_t> packet = text();
    repair(packet);
    std::array<std::uint8_t, ClientCore::kDatagramSizeMax> out;
    if (packet.empty() || packet.size() > 1400) return;
    if (const auto bytes = clients_[whom]->handle_packet(packet, out, now_)) {
      send_to_server(whom, *bytes);
    }
  }

  /// The version and the length made right, so that the checks behind them are reached.
  static void repair(std::vector<std::uint8_t>& packet) {
    if (packet.size() < 20 || packet[0] % 4 == 0) return;
    packet[0] = 0x45;
    store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
    store_be16(&packet[6], 0);
    if (packet[12] < 0x80) store_be32(&packet[12], 0x0a080002 + packet[12] % 4u);
    if (packet[16] < 0x80) store_be32(&packet[16], 0x0a080001 + packet[16] % 4u);
  }

  void inner_from_tun() {
    std::vector<std::uint8_t> packet = text();
    repair(packet);
    if (packet.empty()) return;
    std::array<std::uint8_t, 2048> out;
    for (std::uint16_t i = 0; i < kWorkers; ++i) {
      const Verdict verdict = test::seal_for_peer(*workers_[i], {i}, packet, out, now_.instant);
      if (verdict.way == Verdict::Way::Link) send_to_client(verdict.endpoint, verdict.packet);
    }
  }

  void pass(Duration time) {
    now_.instant = now_.instant + time;
    now_.wall.seconds += time / 1s;
    for (const auto& worker : workers_) {
      if (worker->poll_timeout() <= now_.instant) worker->handle_timeout(now_.instant);
    }
    serve_workers();
    plane_.handle_timeout(now_);
    pump();
    for (std::size_t whom = 0; whom < 2; ++whom) {
      clients_[whom]->handle_timeout(now_);
      take_from_client(whom);
    }
    const auto next = plane_.poll_timeout();
    // When all is said a server that stops is asked no more.
    RW_ASSERT(!next || *next > now_.instant || plane_.is_shut_down(now_));
  }

  /// Reports that cross with what the plane has decided meanwhile: of anybody, about anything.
  void report() {
    const PeerId peer{input_.u8() % 20u};
    const LinkEndpoint there = place(input_.u8());
    const KeyId key_id{static_cast<std::uint8_t>(input_.u8() % 8)};
    switch (input_.u8() % 5) {
      case 0: plane_.handle_report(KeyWearingOut{.peer_id = peer, .key_id = key_id}, now_); break;
      case 1: plane_.handle_report(PeerIdle{.peer_id = peer, .last_received = {}}, now_); break;
      case 2: plane_.handle_report(PeerExited{.peer_id = peer}, now_); break;
      case 3: plane_.handle_report(PeerFloated{.peer_id = peer, .endpoint = there}, now_); break;
      default: plane_.handle_report(EndpointClaimed{.peer_id = peer, .endpoint = there}, now_);
    }
    pump();
  }

  void operator_does() {
    switch (input_.u8() % 4) {
      case 0: now_.wall.seconds += (input_.u8() - 128) * 3600; break;
      case 1: plane_.handle_traffic({input_.u8() % 20u}, input_.u32(), now_); break;
      case 2: plane_.revoke({{.issuer = "CN=nobody", .serial_decimal = "1"}}, now_); break;
      default: plane_.begin_shutdown(now_); break;
    }
    pump();
  }

  /// Everything that is under way arrives, for a while: so that scripts get far.
  void exchange() {
    for (int i = 0; i < 40 && (!to_server_.empty() || !to_clients_.empty()); ++i) {
      deliver_to_server(0);
      deliver_to_client(0);
    }
    pass(10ms);
  }

  void check() {
    const auto sizes = plane_.table_sizes();
    RW_ASSERT(sizes.channels == sizes.endpoints);
    RW_ASSERT(sizes.leases <= sizes.channels);
    RW_ASSERT(plane_.half_open_count() <= sizes.channels);
    RW_ASSERT(plane_.clients().size() <= fixture().config.clients_max);
    answers_.clear();
  }

  void end() {
    for (auto& client : clients_) client.reset();
    to_server_.clear();
    for (int i = 0; i < 80; ++i) {
      now_.instant = now_.instant + 2s;
      for (const auto& worker : workers_) worker->handle_timeout(now_.instant);
      serve_workers();
      plane_.handle_timeout(now_);
      pump();
    }
    RW_ASSERT(plane_.table_sizes().channels == 0);
    RW_ASSERT(plane_.table_sizes().leases == 0);
    for (const auto& worker : workers_) RW_ASSERT(worker->session_count() == 0);
  }

  ByteReader input_;
  test::SeededRandom random_;
  Now now_{.instant = Instant{1000s}, .wall = kWall};
  ControlPlane plane_;
  std::vector<std::unique_ptr<Datapath>> workers_;
  std::unique_ptr<ClientCore> clients_[2];
  LinkEndpoint places_[2];
  std::deque<InFlight> to_server_;
  std::deque<InFlight> to_clients_;
  std::vector<InFlight> answers_;
};

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  static_cast<void>(fixture());
  const std::size_t before = SecretArena::slots_in_use();
  Script(Bytes{data, size}).run();
  RW_ASSERT(SecretArena::slots_in_use() == before);
  return 0;
}
