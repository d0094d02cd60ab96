#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "base/check.h"
#include "tests/tun/coalesced.h"

/// A batch of packets put together and cut again. What must hold for any batch: nothing is lost or
/// added, every packet comes back byte for byte (but for what RFC 6864 leaves open), and what has
/// the same addresses, protocol and ports comes back in order.
///
/// Random bytes hardly ever form two packets of one flow, so that the input steers a builder: each
/// command of four bytes makes the next packet of one of eight flows, with one thing wrong or none.
/// A command may also put raw bytes in as a packet.
namespace ringway {
namespace {

using test::Packet;

struct Flow {
  test::TcpFields tcp;
  test::IpFields ip;
};

/// The commands of one input.
class Script {
 public:
  explicit Script(Bytes input) : input_(input) {
    for (std::uint16_t i = 0; i < flows_.size(); ++i) {
      flows_[i].tcp.source_port = static_cast<std::uint16_t>(1000 + i);
    }
  }

  std::vector<Packet> packets() {
    std::vector<Packet> packets;
    while (input_.size() >= 4 && packets.size() < Coalescer::kPacketsMax) {
      const std::uint8_t which = input_[0];
      const std::uint8_t mishap = input_[1];
      const std::size_t size = load_be16(input_.data() + 2) % 1500;
      input_ = input_.subspan(4);
      packets.push_back((which & 0x80) != 0 ? raw(size) : built(which, mishap, size));
    }
    return packets;
  }

 private:
  Packet raw(std::size_t size) {
    const Bytes bytes = input_.first(std::min(size, input_.size()));
    input_ = input_.subspan(bytes.size());
    return {bytes.begin(), bytes.end()};
  }

  Packet built(std::uint8_t which, std::uint8_t mishap, std::size_t size) {
    Flow& flow = flows_[which % flows_.size()];
    const bool v4 = (which & 0x08) != 0;
    const bool is_tcp = (which & 0x10) != 0;
    flow.ip.v4_fragment_word = (which & 0x20) != 0 ? 0 : 0x4000;
    const std::uint8_t value = static_cast<std::uint8_t>(mishap >> 4);
    switch (mishap & 0x0f) {
      case 1: flow.tcp.sequence += value; break;
      case 2: flow.tcp.acknowledgement += value; break;
      case 3: flow.ip.traffic_class = value; break;
      case 4: flow.ip.hop_limit = value; break;
      case 5: flow.ip.v6_flow_label = value; break;
      case 6: flow.ip.identification = value; break;
      case 7: flow.tcp.options.resize(value % 11 * 4u, 1); break;
      case 8: flow.tcp.urgent_pointer = value; break;
      case 9: flow.tcp.window = value; break;
      default: break;
    }
    flow.tcp.flags = tcp_flag::kAck;
    if ((mishap & 0x0f) == 10) flow.tcp.flags = static_cast<std::uint8_t>(1 << value % 8);
    if ((mishap & 0x0f) == 11) flow.tcp.flags |= tcp_flag::kPsh;
    const Packet payload = test::counting_bytes(size, mishap);
    Packet packet = is_tcp ? test::tcp_packet(v4, payload, flow.tcp, flow.ip)
                           : test::udp_packet(v4, payload, {flow.tcp.source_port, 443}, flow.ip);
    flow.tcp.sequence += static_cast<std::uint32_t>(size);
    ++flow.ip.identification;
    if ((mishap & 0x0f) == 12) packet[size % packet.size()] ^= value;
    return packet;
  }

  Bytes input_;
  std::array<Flow, 8> flows_;
};

/// Addresses, protocol and ports; the ports are left out where they cannot be seen.
Packet flow_of(const Packet& packet) {
  const auto ip = parse_ip_packet(packet);
  RW_ASSERT(ip.has_value());
  Packet flow(ip->source_bytes().begin(), ip->source_bytes().end());
  flow.insert(flow.end(), ip->destination_bytes().begin(), ip->destination_bytes().end());
  flow.push_back(ip->protocol);
  if (ip->tcp() || ip->udp()) {
    flow.insert(flow.end(), ip->payload().begin(), ip->payload().begin() + 4);
  }
  return flow;
}

std::map<Packet, std::vector<Packet>> by_flow(const std::vector<Packet>& packets) {
  std::map<Packet, std::vector<Packet>> flows;
  for (const Packet& packet : packets) {
    flows[flow_of(packet)].push_back(test::without_atomic_identification(packet));
  }
  return flows;
}

void check_batch(Coalescer& coalescer, const std::vector<Packet>& packets) {
  std::vector<Packet> added;
  for (const Packet& packet : packets) {
    const auto ip = parse_ip_packet(packet);
    if (!ip) continue;
    RW_ASSERT(coalescer.add(*ip));
    added.emplace_back(ip->bytes.begin(), ip->bytes.end());
  }
  const auto frames = test::frames_of(coalescer);
  RW_ASSERT(frames.size() == coalescer.frame_count());
  RW_ASSERT(by_flow(test::cut(frames)) == by_flow(added));
  coalescer.clear();
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ringway::Coalescer coalescer({.tcp = true, .udp = true});
  ringway::check_batch(coalescer, ringway::Script(ringway::Bytes(data, size)).packets());
  return 0;
}
