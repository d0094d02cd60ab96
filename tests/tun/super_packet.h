#pragma once

#include "tests/tun/packets.h"
#include "tun/vnet_header.h"

/// Packets and super-packets as a kernel gives them through a TUN: with a checksum that is still
/// to be finished.
namespace ringway::test {

inline constexpr std::size_t kTcpChecksum = 16;
inline constexpr std::size_t kUdpChecksum = 6;

inline std::size_t transport_of(bool v4) { return v4 ? kIpv4HeaderMin : kIpv6HeaderSize; }

/// Puts the pseudo header's sum where the checksum was, as the kernel does.
inline void leave_checksum_unfinished(Packet& packet, std::size_t transport, std::size_t field) {
  const std::uint8_t protocol = packet[0] >> 4 == 4 ? packet[9] : packet[6];
  const std::uint16_t complement =
      reference_checksum({}, reference_pseudo_sum(packet, protocol, packet.size() - transport));
  store_be16(packet.data() + transport + field, static_cast<std::uint16_t>(~complement));
}

struct SuperPacket {
  VnetHeader header;
  Packet packet;
};

inline SuperPacket tcp_super_packet(bool v4, Bytes payload, std::uint16_t gso_size,
                                    const TcpFields& tcp = {}, const IpFields& ip = {}) {
  SuperPacket super{.packet = tcp_packet(v4, payload, tcp, ip)};
  const auto transport = static_cast<std::uint16_t>(transport_of(v4));
  leave_checksum_unfinished(super.packet, transport, kTcpChecksum);
  super.header = {.needs_checksum = true,
                  .gso_type = v4 ? GsoType::TcpV4 : GsoType::TcpV6,
                  .header_size = 0xffff,  // Never to be relied on.
                  .gso_size = gso_size,
                  .checksum_start = transport,
                  .checksum_offset = kTcpChecksum};
  return super;
}

inline SuperPacket udp_super_packet(bool v4, Bytes payload, std::uint16_t gso_size,
                                    const IpFields& ip = {}) {
  SuperPacket super{.packet = udp_packet(v4, payload, {}, ip)};
  const auto transport = static_cast<std::uint16_t>(transport_of(v4));
  leave_checksum_unfinished(super.packet, transport, kUdpChecksum);
  super.header = {.needs_checksum = true,
                  .gso_type = GsoType::UdpL4,
                  .gso_size = gso_size,
                  .checksum_start = transport,
                  .checksum_offset = kUdpChecksum};
  return super;
}

}  // namespace ringway::test
