#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/support/seeded_random.h"
#include "tests/tun/coalesced.h"

/// Whatever goes into a Coalescer comes out of a Segmenter again: each packet once, byte for byte,
/// and each flow in its order.
namespace ringway {
namespace {

using test::Packet;
using Packets = std::vector<Packet>;

/// Ports and the like of one flow, with the mishaps of real traffic.
class Flow {
 public:
  Flow(test::SeededRandom& random, std::uint16_t port)
      : random_(random), v4_(random.happens(0.5)), is_tcp_(random.happens(0.6)) {
    tcp_.source_port = udp_.source_port = port;
    tcp_.sequence = static_cast<std::uint32_t>(random.next());
    ip_.identification = static_cast<std::uint16_t>(random.next());
    ip_.v4_fragment_word = random.happens(0.5) ? 0x4000 : 0;
    size_ = random.next() % 1400 + 1;
    if (random.happens(0.5)) tcp_.options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  }

  Packet next() {
    suffer_a_mishap();
    const std::size_t size = random_.happens(0.1) ? random_.next() % (size_ + 2) : size_;
    Packet payload(size);
    random_.fill(payload);
    tcp_.flags = tcp_flag::kAck;
    if (random_.happens(0.05)) tcp_.flags |= tcp_flag::kPsh;
    if (random_.happens(0.03)) tcp_.flags = static_cast<std::uint8_t>(random_.next());
    Packet packet = is_tcp_ ? test::tcp_packet(v4_, payload, tcp_, ip_)
                            : test::udp_packet(v4_, payload, udp_, ip_);
    tcp_.sequence += static_cast<std::uint32_t>(size);
    ++ip_.identification;
    if (random_.happens(0.03)) packet[random_.next() % 4 + packet.size() - 4] ^= 1;
    return packet;
  }

 private:
  void suffer_a_mishap() {
    if (!random_.happens(0.1)) return;
    switch (random_.next() % 7) {
      case 0: tcp_.sequence += 7; break;
      case 1: ++tcp_.acknowledgement; break;
      case 2: ip_.traffic_class ^= 3; break;
      case 3: ip_.hop_limit ^= 1; break;
      case 4: size_ = random_.next() % 1400 + 1; break;
      case 5: ++tcp_.window; break;
      default: ++ip_.v6_flow_label; break;
    }
  }

  test::SeededRandom& random_;
  bool v4_;
  bool is_tcp_;
  std::size_t size_ = 0;
  test::TcpFields tcp_;
  test::UdpFields udp_;
  test::IpFields ip_;
};

/// Family, protocol and source port: what tells the flows of this test apart.
std::uint32_t flow_of(const Packet& packet) {
  const bool v4 = packet[0] >> 4 == 4;
  return std::uint32_t{packet[0]} << 24 | std::uint32_t{packet[v4 ? 9 : 6]} << 16 |
         load_be16(packet.data() + (v4 ? 20 : 40));
}

std::map<std::uint32_t, Packets> by_flow(const Packets& packets) {
  std::map<std::uint32_t, Packets> flows;
  for (const Packet& packet : packets) flows[flow_of(packet)].push_back(packet);
  return flows;
}

std::uint64_t seed() {
  const char* text = std::getenv("RINGWAY_SEED");
  return text == nullptr ? 20 : std::strtoull(text, nullptr, 10);
}

TEST(CoalescerProperty, GivesEveryPacketBackInTheOrderOfItsFlow) {
  Coalescer coalescer({.tcp = true, .udp = true});
  std::size_t packet_total = 0;
  std::size_t frame_total = 0;
  for (std::uint64_t round = 0; round < 60; ++round) {
    SCOPED_TRACE("RINGWAY_SEED=" + std::to_string(seed()) + ", round " + std::to_string(round));
    test::SeededRandom random(seed() + round * 1000);
    std::vector<Flow> flows;
    for (std::size_t i = 0; i < random.next() % 40 + 1; ++i) {
      flows.emplace_back(random, static_cast<std::uint16_t>(1000 + i));
    }
    Packets packets;
    while (packets.size() < Coalescer::kPacketsMax) {
      Flow& flow = flows[random.next() % flows.size()];
      const std::size_t burst = random.next() % 20 + 1;
      for (std::size_t i = 0; i < burst && packets.size() < Coalescer::kPacketsMax; ++i) {
        packets.push_back(flow.next());
      }
    }
    for (const Packet& packet : packets) {
      const auto ip = parse_ip_packet(packet);
      ASSERT_TRUE(ip);
      ASSERT_TRUE(coalescer.add(*ip));
    }

    const auto frames = test::frames_of(coalescer);

    ASSERT_EQ(frames.size(), coalescer.frame_count());
    ASSERT_EQ(by_flow(test::cut(frames)), by_flow(packets));
    packet_total += packets.size();
    frame_total += frames.size();
    coalescer.clear();
  }
  EXPECT_LT(frame_total * 2, packet_total) << "hardly anything was merged";
}

}  // namespace
}  // namespace ringway
