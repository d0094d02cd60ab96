#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/drop.h"

/// A checked view of an inner packet: IPv4 or IPv6, then TCP or UDP. Pure.
namespace ringway {

enum class IpVersion : std::uint8_t { V4 = 4, V6 = 6 };

/// IANA protocol numbers that this code looks at.
namespace ip_protocol {
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
}  // namespace ip_protocol

/// How many IPv6 extension headers are walked in search of the transport header; a longer chain
/// hides its transport from every feature that looks for one.
inline constexpr unsigned kIpv6ExtensionsMax = 8;
inline constexpr std::size_t kIpv4HeaderMin = 20;
inline constexpr std::size_t kIpv6HeaderSize = 40;
inline constexpr std::size_t kTcpHeaderMin = 20;
inline constexpr std::size_t kUdpHeaderSize = 8;

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp_flag

/// RFC 9293 3.1. A view: the spans lie in the packet.
struct TcpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  /// With options; 20..60, and within the packet.
  std::uint8_t header_size = 0;
  std::uint8_t flags = 0;
  /// The four bits before the flags: AccECN's AE bit (RFC 9768) and three that are reserved.
  std::uint8_t reserved = 0;
  std::uint16_t window = 0;
  std::uint16_t checksum = 0;
  std::uint16_t urgent_pointer = 0;
  Bytes options;
  Bytes payload;
};

/// RFC 768. A view: the payload lies in the packet.
struct UdpHeader {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  /// Header and payload; within the packet, unless that is a first fragment.
  std::uint16_t length = 0;
  std::uint16_t checksum = 0;
  Bytes payload;
};

/// What parse_ip_packet() found consistent. A small value that borrows the packet.
struct IpPacket {
  /// The packet alone: what lay behind its total length is left out.
  Bytes bytes;
  IpVersion version = IpVersion::V4;
  /// What starts at `header_size`. For a chain of more than kIpv6ExtensionsMax extension headers:
  /// the next extension header's number.
  std::uint8_t protocol = 0;
  /// DSCP and ECN: IPv4's type of service, IPv6's traffic class.
  std::uint8_t traffic_class = 0;
  /// IPv4's time to live.
  std::uint8_t hop_limit = 0;
  /// With IPv4's options, or IPv6's extension headers.
  std::uint16_t header_size = 0;
  /// IPv4 options or IPv6 extension headers are present.
  bool has_options = false;
  bool is_fragment = false;
  /// A fragment that does not start with the transport header.
  bool is_later_fragment = false;

  [[nodiscard]] bool is_v4() const { return version == IpVersion::V4; }
  [[nodiscard]] std::size_t total_length() const { return bytes.size(); }
  /// The two low bits of the traffic class (RFC 3168): 3 is Congestion Experienced.
  [[nodiscard]] std::uint8_t ecn() const { return traffic_class & 3; }
  [[nodiscard]] std::uint8_t dscp() const { return static_cast<std::uint8_t>(traffic_class >> 2); }

  /// The 4 or 16 bytes as they stand in the packet: for look-ups that need no IpAddress.
  [[nodiscard]] Bytes source_bytes() const {
    return is_v4() ? bytes.subspan(12, 4) : bytes.subspan(8, 16);
  }
  [[nodiscard]] Bytes destination_bytes() const {
    return is_v4() ? bytes.subspan(16, 4) : bytes.subspan(24, 16);
  }
  /// Both, one behind the other: 8 or 32 bytes.
  [[nodiscard]] Bytes address_bytes() const {
    return is_v4() ? bytes.subspan(12, 8) : bytes.subspan(8, 32);
  }
  [[nodiscard]] IpAddress source() const;
  [[nodiscard]] IpAddress destination() const;
  /// Everything behind the IP header, its options and its extension headers.
  [[nodiscard]] Bytes payload() const { return bytes.subspan(header_size); }

  /// The TCP header. Nothing when there is none here (another protocol, a later fragment, a hidden
  /// one) or when it contradicts the packet's length: such a packet may be forwarded, but nobody
  /// may look into it.
  [[nodiscard]] std::optional<TcpHeader> tcp() const;
  [[nodiscard]] std::optional<UdpHeader> udp() const;
};

/// Checks version, header length, total length and, where present, the fragment fields and the
/// extension headers against each other and against the memory. Whatever does not fit is
/// Drop::MalformedInner, and must not be forwarded for somebody else to judge (C02). Neither
/// checksums nor addresses are judged, except that IPv6 packets with v4-mapped addresses are
/// refused: every table here keeps IPv4 in that form, and would take them for IPv4 (C01).
[[nodiscard]] std::expected<IpPacket, Drop> parse_ip_packet(Bytes packet);

/// The same of the beginning of a packet, where nobody will look behind it: IpPacket::bytes is what
/// there is, and total_length() is its size.
[[nodiscard]] std::expected<IpPacket, Drop> parse_ip_head(Bytes head);

}  // namespace ringway
