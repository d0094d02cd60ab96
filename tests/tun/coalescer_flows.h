#pragma once

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/tun/coalesced.h"

/// Flows of packets for a Coalescer, and what tests expect of it.
namespace ringway::test {

using Packets = std::vector<Packet>;

inline void add_all(Coalescer& coalescer, const Packets& packets) {
  for (const Packet& packet : packets) {
    const auto ip = parse_ip_packet(packet);
    ASSERT_TRUE(ip);
    ASSERT_TRUE(coalescer.add(*ip));
  }
}

inline std::vector<Frame> coalesce(const Packets& packets, const Coalescer::Settings& settings = {
                                                               .tcp = true, .udp = true}) {
  Coalescer coalescer(settings);
  add_all(coalescer, packets);
  return frames_of(coalescer);
}

/// A stretch of one TCP flow: full packets in sequence.
class TcpFlow {
 public:
  explicit TcpFlow(bool v4, std::uint16_t source_port = 40000) : v4_(v4) {
    tcp.source_port = source_port;
  }
  Packet next(std::size_t size) {
    Packet packet = tcp_packet(v4_, counting_bytes(size, 5), tcp, ip);
    tcp.sequence += static_cast<std::uint32_t>(size);
    ++ip.identification;
    return packet;
  }
  Packet next_with_flags(std::size_t size, std::uint8_t flags) {
    const std::uint8_t before = std::exchange(tcp.flags, flags);
    Packet packet = next(size);
    tcp.flags = before;
    return packet;
  }

  TcpFields tcp{.options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8}};
  IpFields ip;

 private:
  bool v4_;
};

inline Packets udp_flow(bool v4, std::size_t count, std::size_t size = 1200,
                        const UdpFields& udp = {}) {
  Packets packets;
  IpFields ip;
  for (std::size_t i = 0; i < count; ++i, ++ip.identification) {
    packets.push_back(udp_packet(v4, counting_bytes(size, static_cast<std::uint8_t>(i)), udp, ip));
  }
  return packets;
}

inline void expect_untouched(const Packets& packets, const char* what) {
  const auto frames = coalesce(packets);
  ASSERT_EQ(frames.size(), packets.size()) << what;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_FALSE(frames[i].header.is_gso()) << what;
    EXPECT_FALSE(frames[i].header.needs_checksum) << what;
    EXPECT_EQ(frames[i].packet, packets[i]) << what;
  }
}

/// The two are of one flow and in order, and do not merge.
inline void expect_apart(const Packet& first, const Packet& second, const char* what) {
  expect_untouched({first, second}, what);
}

}  // namespace ringway::test
