#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "dataplane/martian.h"
#include "tests/dataplane/datapath_rig.h"

// A worker's core under a script. The first byte of the input says whether clients reach each other
// and whether the first has the epoch format; then comes a list of steps, each a byte that says
// what happens and a length-prefixed text: datagrams of strangers, whatever two clients seal,
// packets from the TUN, commands and time. After each step:
//   - what goes to the TUN or to a peer came authentic, lies inside the datagram, and carries a
//     source address of that client and no martian destination;
//   - what goes to the link opens at the client whose address it carries, to the same packet;
//   - every datagram and packet is forwarded, consumed, handed on, or counted as one drop.

namespace ringway {
namespace {

using test::Packet;
using Way = Verdict::Way;

class Script {
 public:
  Script(bool client_to_client, bool in_epochs) : rig_(settings(client_to_client)) {
    clients_[0] =
        &rig_.connect({1}, {"10.8.0.2/32", "fd00::2/128"},
                      {.ping_interval = 10s, .ping_restart = 60s, .in_epochs = in_epochs});
    clients_[1] = &rig_.connect({2}, {"10.8.0.3/32", "0.0.0.0/0", "fd00::3/128"},
                                {.ping_interval = 10s,
                                 .mssfix = {.value = 1340, .mode = MssFix::Mode::Fixed},
                                 .data_v2 = false});
  }

  void step(std::uint8_t what, Bytes text) {
    test::RigClient& client = *clients_[what >> 7];
    switch (what & 7) {
      case 0: return judge_uplink(rig_.receive(copy_of(text), client.endpoint, now_), nullptr);
      case 1: return judge_uplink(rig_.receive(copy_of(text), {}, now_), nullptr);
      case 2: return from_client(client, text);
      case 3: return from_client(client, repaired(text));
      case 4: return judge_downlink(text);
      case 5: return judge_downlink(repaired(text));
      case 6: return change_key(client, what >> 3 & 7);
      default: return pass_time(text);
    }
  }

 private:
  static DatapathSettings settings(bool client_to_client) {
    DatapathSettings settings = test::rig_settings();
    settings.client_to_client = client_to_client;
    return settings;
  }

  static Packet copy_of(Bytes bytes) { return Packet(bytes.begin(), bytes.end()); }

  // The version and the lengths made consistent, so that the checks behind them are reached.
  static Packet repaired(Bytes text) {
    Packet packet = copy_of(text);
    if (packet.size() >= kIpv6HeaderSize && (packet[0] & 1) != 0) {
      packet[0] = static_cast<std::uint8_t>(0x60 | (packet[0] & 0x0f));
      store_be16(packet.data() + 4, static_cast<std::uint16_t>(packet.size() - kIpv6HeaderSize));
      if (packet[8] < 0x80) std::ranges::copy(test::address("fd00::2").bytes(), &packet[8]);
    } else if (packet.size() >= kIpv4HeaderMin) {
      packet[0] = 0x45;
      store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size()));
      store_be16(packet.data() + 6, 0);
      if (packet[12] < 0x80) store_be32(packet.data() + 12, 0x0a080002);
      if (packet[16] < 0x40) store_be32(packet.data() + 16, 0x0a080002 + packet[16] % 2);
    }
    return packet;
  }

  void from_client(test::RigClient& client, Bytes inner) {
    if (inner.empty()) return;
    judge_uplink(rig_.send(client, inner, now_), &client);
  }

  void judge_uplink(const Verdict& verdict, const test::RigClient* client) {
    count_drop(verdict);
    if (verdict.way != Way::Tun && verdict.way != Way::Peer) return;
    RW_ASSERT(client != nullptr);
    check_inside(verdict.packet);
    const auto ip = parse_ip_packet(verdict.packet);
    RW_ASSERT(ip.has_value());
    RW_ASSERT(ip->total_length() == verdict.packet.size());
    RW_ASSERT(!is_martian(ip->source()));
    RW_ASSERT(!is_martian(ip->destination()));
    RW_ASSERT(ip->source() != test::address("10.8.0.1"));
    const IpAddress own =
        test::address(ip->is_v4() ? (client->peer_id == PeerId{1} ? "10.8.0.2" : "10.8.0.3")
                                  : (client->peer_id == PeerId{1} ? "fd00::2" : "fd00::3"));
    const bool may_be_any = client->peer_id == PeerId{2} && ip->is_v4() &&
                            !test::prefix("10.8.0.0/24").contains(ip->source());
    RW_ASSERT(ip->source() == own || may_be_any);
    if (verdict.way == Way::Peer) judge_downlink(copy_of(verdict.packet));
  }

  void judge_downlink(Bytes packet) {
    const Packet inner = copy_of(packet);
    const Verdict verdict = rig_.read_tun(inner, now_);
    count_drop(verdict);
    if (verdict.way != Way::Link) return;
    check_inside(verdict.packet);
    test::RigClient& client =
        verdict.endpoint == clients_[0]->endpoint ? *clients_[0] : *clients_[1];
    RW_ASSERT(verdict.endpoint == client.endpoint);
    const Packet opened = client.open(verdict.packet, now_);
    RW_ASSERT(!opened.empty());
    RW_ASSERT(opened.size() <= inner.size());
    // An MSS and the checksum over it may differ, the addresses not.
    RW_ASSERT(std::equal(opened.begin(), opened.begin() + 20, inner.begin()));
  }

  void change_key(test::RigClient& client, unsigned id) {
    const KeyId key_id{static_cast<std::uint8_t>(id)};
    DataKeys keys = test::make_keys(key_id, ++seed_);
    DataKeys peer_keys = test::make_peer_keys(key_id, seed_);
    keys.in_epochs = peer_keys.in_epochs = client.session->settings().in_epochs;
    keys.send_from = peer_keys.send_from = now_ + 60s;
    keys.previous_expires_at = peer_keys.previous_expires_at = now_ + 1h;
    rig_.install(client, std::move(keys), peer_keys);
  }

  void pass_time(Bytes text) {
    now_ = now_ + (text.empty() ? 1 : text[0]) * 1s;
    rig_.datapath.handle_timeout(now_);
    RW_ASSERT(rig_.datapath.poll_timeout() > now_);
    Packet scratch(Datapath::kPingSizeMax);
    std::size_t pings = 0;
    while (rig_.datapath.poll_transmit(scratch, now_)) ++pings;
    RW_ASSERT(pings <= 2);
    std::size_t reports = 0;
    while (rig_.datapath.poll_report()) ++reports;
    RW_ASSERT(reports <= 6);
  }

  void check_inside(MutableBytes packet) const {
    RW_ASSERT(packet.data() >= rig_.buffer.data());
    RW_ASSERT(packet.data() + packet.size() <= rig_.buffer.data() + rig_.buffer.size());
  }

  void count_drop(const Verdict& verdict) {
    if (verdict.way == Way::Dropped) ++drops_;
    std::uint64_t counted = 0;
    for (const std::uint64_t count : rig_.datapath.drops()) counted += count;
    RW_ASSERT(counted == drops_);
  }

  test::DatapathRig rig_;
  test::RigClient* clients_[2] = {};
  Instant now_ = test::kStart;
  std::uint64_t seed_ = 100;
  std::uint64_t drops_ = 0;
};

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  ByteReader reader(Bytes{data, size});
  const std::uint8_t options = reader.u8();
  Script script((options & 1) != 0, (options & 2) != 0);
  while (!reader.truncated() && reader.left() > 0) {
    const std::uint8_t what = reader.u8();
    const std::size_t length = reader.u16() % 2048;
    const Bytes text = reader.take(std::min(length, reader.left()));
    script.step(what, text);
  }
  return 0;
}
