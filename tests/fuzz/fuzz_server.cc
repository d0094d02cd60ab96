#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "base/secret.h"
#include "control/client_core.h"
#include "tests/fuzz/fuzzed_server.h"
#include "tests/support/seeded_random.h"

// A whole server without its sockets and programs, a ControlPlane and two Datapaths, under a
// script. The input is a byte of configuration and a list of steps, each a byte that says what
// happens and what it needs: datagrams of strangers, those of two honest clients, whole or damaged,
// late, twice or from elsewhere, over UDP and over TCP connections that come and go; inner packets
// either way; time, to deadlines and beyond, clocks, stale reports, revocations, goodbyes; what
// programs decide, late or never, and what they say of clients. After each step:
//   - tables agree, addresses are leased once, to channels only, and what may be held is bounded;
//   - what goes to the TUN has a source that a client was given, and no martian addresses;
//   - a stranger's datagram has one answer at most, no more than 12 bytes longer;
//   - whoever asks to be called at once has something to do.
// In the end everybody falls silent: nothing is left, no question is open, and no secret is kept.

namespace ringway {
namespace {

using fuzz::fixture;

constexpr std::size_t kStepsMax = 400;

struct InFlight {
  LinkEndpoint place;
  std::vector<std::uint8_t> bytes;
};

class Script {
 public:
  explicit Script(Bytes input)
      : input_(input),
        random_(input.size()),
        server_(input_.u8(), random_,
                {.link = [this](const LinkEndpoint& to, Bytes bytes) { send_to_client(to, bytes); },
                 .ended = [this](const LinkEndpoint& place) { forget_connection(place); }},
                now_) {
    for (std::size_t i = 0; i < 2; ++i) start_client(i, 0);
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
      case 0: return deliver_to_server(0);
      case 1: return server_.clerk().decide(input_);
      case 2: return deliver_to_client(0);
      case 3: return pass_to_deadline();
      case 4: return pass(Duration{20ms} * input_.u8());
      case 5: return damage_or_move();
      case 6: return strangers_datagram();
      case 7: return start_client(whom, what >> 4);
      case 8: return inner_from_client(whom);
      case 9: return inner_from_tun();
      case 10: return client_does(whom);
      case 11: return report();
      case 12: return server_.end_connection(place(input_.u8() | 8u), now_);
      case 13: return operator_does();
      case 14: return exchange();
      default: return deliver_to_server(input_.u8());
    }
  }

  std::vector<std::uint8_t> text() {
    const Bytes bytes = input_.take(std::min<std::size_t>(input_.u8() * 4u, input_.left()));
    return {bytes.begin(), bytes.end()};
  }

  [[nodiscard]] LinkEndpoint place(std::size_t number) const {
    return server_.places().at(static_cast<std::uint8_t>(number));
  }

  /// What came over it has been heard before, and what is for it reaches nobody.
  void forget_connection(const LinkEndpoint& connection) {
    const auto is_there = [&](const InFlight& one) { return one.place == connection; };
    std::erase_if(to_server_, is_there);
    std::erase_if(to_clients_, is_there);
    for (std::size_t whom = 0; whom < 2; ++whom) {
      const bool is_its_own = clients_[whom] && whereabouts_[whom] == connection;
      if (is_its_own) clients_[whom]->handle_connection_ended();
    }
  }

  void deliver_to_server(std::size_t which) {
    if (to_server_.empty()) return;
    which %= to_server_.size();
    InFlight datagram = std::move(to_server_[which]);
    to_server_.erase(to_server_.begin() + static_cast<std::ptrdiff_t>(which));
    server_.handle_datagram(datagram.bytes, datagram.place, now_);
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
    const std::size_t channels = server_.plane().table_sizes().channels;
    answers_ = {};
    const bool is_stranger = server_.handle_datagram(bytes, from, now_) != Verdict::Way::Control;
    if (!is_stranger || server_.plane().table_sizes().channels != channels) return;
    RW_ASSERT(std::ranges::count(answers_, from, &InFlight::place) <= 1);
    for (const InFlight& answer : answers_) {
      RW_ASSERT(answer.place != from || answer.bytes.size() <= bytes.size() + 12);
    }
  }

  void send_to_client(const LinkEndpoint& to, Bytes bytes) {
    answers_.push_back({to, {bytes.begin(), bytes.end()}});
    if (to_clients_.size() < 64) to_clients_.push_back(answers_.back());
  }

  /// The bits: over TCP 1, with a name 2, which is forgotten 4.
  void start_client(std::size_t whom, std::uint8_t bits) {
    whereabouts_[whom] = place(whom + ((bits & 1) != 0 ? 8 : 0));
    ClientSettings settings{.channel = {.side = Side::Client, .hand_window = 20s}};
    settings.channel.forgets_login = (bits & 4) != 0;
    if ((bits & 2) != 0) settings.channel.login = login_;
    settings.path = whereabouts_[whom].is_tcp() ? PathKind::Stream : PathKind::Ethernet;
    settings.channel.peer_info = PeerInfo::parse("IV_SSO=webauth,crtext\n");
    clients_[whom] = std::make_unique<ClientCore>(settings, fixture().wrap,
                                                  fixture().client_tls[whom], random_, now_);
    take_from_client(whom);
  }

  void deliver_to_client(std::size_t which) {
    if (to_clients_.empty()) return;
    which %= to_clients_.size();
    InFlight datagram = std::move(to_clients_[which]);
    to_clients_.erase(to_clients_.begin() + static_cast<std::ptrdiff_t>(which));
    for (std::size_t whom = 0; whom < 2; ++whom) {
      const LinkEndpoint& own = whereabouts_[whom];
      if (own.remote != datagram.place.remote) continue;
      if (own.connection != datagram.place.connection) continue;
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
    if (to_server_.size() >= 64) return;
    to_server_.push_back({whereabouts_[whom], {bytes.begin(), bytes.end()}});
  }

  void client_does(std::size_t whom) {
    ClientCore& client = *clients_[whom];
    switch (input_.u8() % 8) {
      case 0: client.renegotiate(now_); break;
      case 1: client.leave(now_); break;
      case 4: client.answer_challenge(SecretText("it is me"), now_); break;
      case 5: client.set_login(login_, now_); break;
      case 6:
        if (whereabouts_[whom].is_tcp()) server_.end_connection(place(8 + whom), now_);
        break;
      default: whereabouts_[whom] = place(input_.u8()); break;
    }
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
    server_.handle_packet(packet, now_);
  }

  void pass(Duration time) {
    now_.instant = now_.instant + time;
    now_.wall.seconds += time / 1s;
    server_.handle_timeout(now_);
    for (std::size_t whom = 0; whom < 2; ++whom) {
      clients_[whom]->handle_timeout(now_);
      take_from_client(whom);
    }
    const auto next = server_.plane().poll_timeout();
    // When all is said a server that stops is asked no more.
    RW_ASSERT(!next || *next > now_.instant || server_.plane().is_shut_down(now_));
  }

  /// At once when it is over, and never further than the script could go by itself.
  void pass_to_deadline() {
    const auto next = server_.plane().poll_timeout();
    if (!next) return;
    pass(std::clamp<Duration>(*next - now_.instant, Duration{0}, 60s));
  }

  /// Reports that cross with what the plane has decided meanwhile: of anybody, about anything.
  void report() {
    const PeerId peer{input_.u8() % 20u};
    const LinkEndpoint there = place(input_.u8());
    const KeyId key_id{static_cast<std::uint8_t>(input_.u8() % 8)};
    const auto say = [&](const WorkerReport& said) { server_.plane().handle_report(said, now_); };
    switch (input_.u8() % 5) {
      case 0: say(KeyWearingOut{.peer_id = peer, .key_id = key_id}); break;
      case 1: say(PeerIdle{.peer_id = peer, .last_received = {}}); break;
      case 2: say(PeerExited{.peer_id = peer}); break;
      case 3: say(PeerFloated{.peer_id = peer, .endpoint = there}); break;
      default: say(EndpointClaimed{.peer_id = peer, .endpoint = there}); break;
    }
    server_.pump(now_);
  }

  void operator_does() {
    switch (input_.u8() % 8) {
      case 0: now_.wall.seconds += (input_.u8() - 128) * 3600; break;
      case 1: server_.plane().handle_traffic({input_.u8() % 20u}, input_.u32(), now_); break;
      case 2: server_.plane().revoke({{.issuer = "CN=nobody", .serial_decimal = "1"}}, now_); break;
      case 3: server_.plane().begin_shutdown(now_); break;
      case 4: server_.plane().handle_activity({input_.u8() % 20u}, input_.u32(), now_); break;
      case 5:
        static_cast<void>(server_.plane().change_pushes({"route " + as_string()}, now_));
        break;
      case 6: foresee_client(); break;
      default: server_.plane().say_goodbye_to_programs(); break;
    }
    server_.pump(now_);
  }

  void foresee_client() {
    const std::string name = as_string();
    server_.plane().foresee_client(name, as_string(), "ccd", now_);
  }

  std::string as_string() {
    const std::vector<std::uint8_t> bytes = text();
    return {bytes.begin(), bytes.end()};
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
    server_.pump(now_);
    server_.check();
    answers_.clear();
  }

  void end() {
    for (auto& client : clients_) client.reset();
    to_server_.clear();
    for (int i = 0; i < 80; ++i) {
      now_.instant = now_.instant + 2s;
      server_.handle_timeout(now_, true);
    }
    server_.clerk().decide_all();
    server_.pump(now_);
    server_.check_empty();
  }

  ByteReader input_;
  test::SeededRandom random_;
  Now now_{.instant = Instant{1000s}, .wall = fuzz::kWall};
  std::unique_ptr<ClientCore> clients_[2];
  LinkEndpoint whereabouts_[2];
  SharedLogin login_ = std::make_shared<const Login>(Login{"carol", SecretText("word")});
  std::deque<InFlight> to_server_;
  std::deque<InFlight> to_clients_;
  std::vector<InFlight> answers_;
  fuzz::FuzzedServer server_;
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
