#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "tun/ip_packet.h"

/// Inner packets for tests, built with a checksum of their own: RFC 1071 as its text has it, two
/// bytes at a time, so that nothing under test vouches for itself.
namespace ringway::test {

using Packet = std::vector<std::uint8_t>;

inline std::uint16_t reference_checksum(Bytes bytes, std::uint32_t start = 0) {
  std::uint64_t sum = start;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint64_t>(bytes[i]) << 8;
    if (i + 1 < bytes.size()) sum += bytes[i + 1];
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// The sum of the pseudo header of RFC 9293 3.1 and RFC 8200 8.1, not folded.
inline std::uint32_t reference_pseudo_sum(Bytes ip, std::uint8_t protocol, std::size_t length) {
  const bool v4 = ip[0] >> 4 == 4;
  const Bytes addresses = v4 ? ip.subspan(12, 8) : ip.subspan(8, 32);
  std::uint32_t sum = protocol;
  for (std::size_t i = 0; i < addresses.size(); i += 2) sum += load_be16(addresses.data() + i);
  return sum + static_cast<std::uint32_t>(length >> 16) +
         static_cast<std::uint32_t>(length & 0xffff);
}

/// The transport checksum that `packet` should carry at `field`; `transport` is where TCP or UDP
/// starts.
inline std::uint16_t reference_transport_checksum(Packet packet, std::size_t transport,
                                                  std::size_t field) {
  const std::uint8_t protocol = packet[0] >> 4 == 4 ? packet[9] : packet[6];
  store_be16(packet.data() + field, 0);
  const Bytes segment = Bytes(packet).subspan(transport);
  const std::uint16_t sum =
      reference_checksum(segment, reference_pseudo_sum(packet, protocol, segment.size()));
  // RFC 768: zero says "no checksum", so that a sum of zero is sent as all ones.
  return protocol == ip_protocol::kUdp && sum == 0 ? std::uint16_t{0xffff} : sum;
}

inline Packet counting_bytes(std::size_t size, std::uint8_t start = 0) {
  Packet bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(start + i * 7);
  return bytes;
}

struct IpFields {
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 64;
  std::uint16_t identification = 0x1234;
  /// Don't Fragment, unless said otherwise.
  std::uint16_t v4_fragment_word = 0x4000;
  std::uint32_t v6_flow_label = 0x12345;
};

struct TcpFields {
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 443;
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledgement = 2000;
  std::uint8_t flags = tcp_flag::kAck;
  std::uint16_t window = 501;
  std::uint16_t urgent_pointer = 0;
  Packet options;
};

inline Packet ip_packet(bool v4, std::uint8_t protocol, Bytes payload,
                        const IpFields& fields = {}) {
  Packet packet(v4 ? kIpv4HeaderMin : kIpv6HeaderSize);
  if (v4) {
    packet[0] = 0x45;
    packet[1] = fields.traffic_class;
    store_be16(packet.data() + 2, static_cast<std::uint16_t>(packet.size() + payload.size()));
    store_be16(packet.data() + 4, fields.identification);
    store_be16(packet.data() + 6, fields.v4_fragment_word);
    packet[8] = fields.hop_limit;
    packet[9] = protocol;
    store_be32(packet.data() + 12, 0x0a080002);  // 10.8.0.2
    store_be32(packet.data() + 16, 0xc0000201);  // 192.0.2.1
    store_be16(packet.data() + 10, reference_checksum(packet));
  } else {
    store_be32(packet.data(),
               0x60000000u | std::uint32_t{fields.traffic_class} << 20 | fields.v6_flow_label);
    store_be16(packet.data() + 4, static_cast<std::uint16_t>(payload.size()));
    packet[6] = protocol;
    packet[7] = fields.hop_limit;
    packet[8] = 0xfd;
    packet[23] = 2;
    store_be32(packet.data() + 24, 0x20010db8);
    packet[39] = 1;
  }
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

inline Packet tcp_packet(bool v4, Bytes payload, const TcpFields& tcp = {},
                         const IpFields& ip = {}) {
  Packet segment(kTcpHeaderMin + tcp.options.size());
  store_be16(segment.data(), tcp.source_port);
  store_be16(segment.data() + 2, tcp.destination_port);
  store_be32(segment.data() + 4, tcp.sequence);
  store_be32(segment.data() + 8, tcp.acknowledgement);
  segment[12] = static_cast<std::uint8_t>(segment.size() / 4 << 4);
  segment[13] = tcp.flags;
  store_be16(segment.data() + 14, tcp.window);
  store_be16(segment.data() + 18, tcp.urgent_pointer);
  std::copy(tcp.options.begin(), tcp.options.end(), segment.begin() + kTcpHeaderMin);
  segment.insert(segment.end(), payload.begin(), payload.end());
  Packet packet = ip_packet(v4, ip_protocol::kTcp, segment, ip);
  const std::size_t transport = packet.size() - segment.size();
  store_be16(packet.data() + transport + 16,
             reference_transport_checksum(packet, transport, transport + 16));
  return packet;
}

struct UdpFields {
  std::uint16_t source_port = 40000;
  std::uint16_t destination_port = 443;
};

inline Packet udp_packet(bool v4, Bytes payload, const UdpFields& udp = {},
                         const IpFields& ip = {}) {
  Packet datagram(kUdpHeaderSize);
  store_be16(datagram.data(), udp.source_port);
  store_be16(datagram.data() + 2, udp.destination_port);
  store_be16(datagram.data() + 4, static_cast<std::uint16_t>(kUdpHeaderSize + payload.size()));
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  Packet packet = ip_packet(v4, ip_protocol::kUdp, datagram, ip);
  const std::size_t transport = packet.size() - datagram.size();
  store_be16(packet.data() + transport + 6,
             reference_transport_checksum(packet, transport, transport + 6));
  return packet;
}

}  // namespace ringway::test
