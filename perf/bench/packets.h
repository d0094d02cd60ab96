#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "tun/checksum.h"
#include "tun/ip_packet.h"

/// Inner packets for benchmarks: plain IPv4 with right checksums.
namespace ringway::bench {

using Packet = std::vector<std::uint8_t>;

struct Flow {
  std::uint32_t source = 0x0a08'0002;       // 10.8.0.2
  std::uint32_t destination = 0xc000'0207;  // 192.0.2.7
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 443;
};

inline Packet ipv4_packet(const Flow& flow, std::uint8_t protocol, std::size_t size) {
  Packet packet(size);
  packet[0] = 0x45;
  store_be16(packet.data() + 2, static_cast<std::uint16_t>(size));
  packet[6] = 0x40;
  packet[8] = 64;
  packet[9] = protocol;
  store_be32(packet.data() + 12, flow.source);
  store_be32(packet.data() + 16, flow.destination);
  store_be16(packet.data() + 10, checksum_of(Bytes(packet).first(kIpv4HeaderMin)));
  for (std::size_t i = kIpv4HeaderMin; i < size; ++i) packet[i] = static_cast<std::uint8_t>(i * 7);
  store_be16(packet.data() + 20, flow.source_port);
  store_be16(packet.data() + 22, flow.destination_port);
  return packet;
}

inline ChecksumSum pseudo_sum(const Packet& packet) {
  return sum_of({.addresses = Bytes(packet).subspan(12, 8),
                 .protocol = packet[9],
                 .length = static_cast<std::uint32_t>(packet.size() - kIpv4HeaderMin)});
}

/// UDP of `size` bytes in all.
inline Packet udp_packet(const Flow& flow, std::size_t size) {
  Packet packet = ipv4_packet(flow, ip_protocol::kUdp, size);
  store_be16(packet.data() + 24, static_cast<std::uint16_t>(size - kIpv4HeaderMin));
  store_be16(packet.data() + 26, 0);
  ChecksumSum sum = pseudo_sum(packet);
  sum.add(Bytes(packet).subspan(kIpv4HeaderMin));
  store_be16(packet.data() + 26, sum.checksum());
  return packet;
}

/// A TCP data segment of `size` bytes in all, with timestamps, as Linux sends them.
inline Packet tcp_packet(const Flow& flow, std::size_t size, std::uint32_t sequence) {
  Packet packet = ipv4_packet(flow, ip_protocol::kTcp, size);
  std::uint8_t* const tcp = packet.data() + kIpv4HeaderMin;
  store_be32(tcp + 4, sequence);
  store_be32(tcp + 8, 2000);
  tcp[12] = 8 << 4;
  tcp[13] = tcp_flag::kAck;
  store_be16(tcp + 14, 501);
  store_be16(tcp + 16, 0);
  store_be16(tcp + 18, 0);
  store_be32(tcp + 20, 0x0101'080a);
  store_be32(tcp + 24, 1);
  store_be32(tcp + 28, 2);
  ChecksumSum sum = pseudo_sum(packet);
  sum.add(Bytes(packet).subspan(kIpv4HeaderMin));
  store_be16(tcp + 16, sum.checksum());
  return packet;
}

}  // namespace ringway::bench
