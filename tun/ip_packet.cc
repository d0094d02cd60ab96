#include "tun/ip_packet.h"

#include <algorithm>
#include <array>

#include "base/cursor.h"

namespace ringway {
namespace {

constexpr std::unexpected<Drop> kMalformed(Drop::MalformedInner);

/// The largest packet that fragments may be put together to.
constexpr std::size_t kReassembledMax = 65535;

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kMobility = 135;
constexpr std::uint8_t kHostIdentity = 139;
constexpr std::uint8_t kShim6 = 140;

bool is_extension(std::uint8_t next_header) {
  switch (next_header) {
    case kHopByHop:
    case kRouting:
    case kFragment:
    case kAuthentication:
    case kDestinationOptions:
    case kMobility:
    case kHostIdentity:
    case kShim6: return true;
    default: return false;
  }
}

/// Whether the packet is all there.
enum class Extent : std::uint8_t { Whole, Head };

/// Where a fragment's payload goes in the whole.
struct FragmentPlace {
  std::size_t offset = 0;
  std::size_t payload_size = 0;
  bool more_follow = false;
};

/// All fragments but the last carry a multiple of eight bytes, and the whole is no larger than a
/// length field can say (RFC 791 3.2, RFC 8200 4.5).
bool is_possible(const FragmentPlace& place) {
  if (place.more_follow && place.payload_size % 8 != 0) return false;
  return place.offset + place.payload_size <= kReassembledMax;
}

/// RFC 4291 2.5.5.2: ::ffff:0:0/96.
bool is_v4_mapped(Bytes address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::ranges::equal(address.first(kMapped.size()), kMapped);
}

/// Walks from the fixed header to the transport header; false when a header leaves the packet.
bool walk_extensions(IpPacket& ip) {
  ByteReader reader(ip.bytes.subspan(kIpv6HeaderSize));
  for (unsigned seen = 0; seen < kIpv6ExtensionsMax && is_extension(ip.protocol); ++seen) {
    ip.has_options = true;
    const std::uint8_t type = ip.protocol;
    ip.protocol = reader.u8();
    const std::uint8_t length = reader.u8();
    if (type == kFragment) {
      const std::uint16_t place = reader.u16();
      reader.skip(4);  // Identification.
      if (reader.truncated()) return false;
      ip.is_fragment = true;
      ip.is_later_fragment = place >> 3 != 0;
      if (!is_possible({.offset = place & 0xfff8u,
                        .payload_size = reader.left(),
                        .more_follow = (place & 1) != 0})) {
        return false;
      }
    } else {
      // In units of four bytes, less two (RFC 4302 2.2), or of eight, less one (RFC 8200 4.2).
      const std::size_t size =
          type == kAuthentication ? (length + std::size_t{2}) * 4 : (length + std::size_t{1}) * 8;
      reader.skip(size - 2);
    }
    if (reader.truncated()) return false;
    ip.header_size = static_cast<std::uint16_t>(ip.bytes.size() - reader.left());
    // What follows in a later fragment is the middle of something.
    if (ip.is_later_fragment) return true;
  }
  return true;
}

///  0                   1                   2                   3
///  |Version|  IHL  |Type of Service|          Total Length         |
///  |         Identification        |Flags|      Fragment Offset    |
///  |  Time to Live |    Protocol   |         Header Checksum       |
///  |                       Source Address                          |
///  |                    Destination Address                        |
///  |                    Options                    |    Padding    |      RFC 791 3.1
std::expected<IpPacket, Drop> parse_v4(Bytes packet, Extent extent) {
  ByteReader reader(packet);
  IpPacket ip;
  const std::size_t header_size = (reader.u8() & 0x0f) * std::size_t{4};
  ip.traffic_class = reader.u8();
  std::size_t total_length = reader.u16();
  reader.skip(2);  // Identification.
  const std::uint16_t fragment = reader.u16();
  ip.hop_limit = reader.u8();
  ip.protocol = reader.u8();
  reader.skip(2 + 4 + 4);  // Checksum and addresses.
  if (reader.truncated()) return kMalformed;
  if (header_size < kIpv4HeaderMin || header_size > total_length) return kMalformed;
  if (extent == Extent::Head) total_length = std::min(total_length, packet.size());
  if (header_size > packet.size() || total_length > packet.size()) return kMalformed;

  ip.bytes = packet.first(total_length);
  ip.version = IpVersion::V4;
  ip.header_size = static_cast<std::uint16_t>(header_size);
  ip.has_options = header_size > kIpv4HeaderMin;
  const bool more_follow = (fragment & 0x2000) != 0;
  const std::size_t offset = (fragment & 0x1fffu) * std::size_t{8};
  ip.is_fragment = more_follow || offset != 0;
  ip.is_later_fragment = offset != 0;
  if (ip.is_fragment && !is_possible({.offset = offset,
                                      .payload_size = total_length - header_size,
                                      .more_follow = more_follow})) {
    return kMalformed;
  }
  return ip;
}

///  |Version| Traffic Class |           Flow Label                  |
///  |         Payload Length        |  Next Header  |   Hop Limit   |
///  |                Source Address (16 bytes)                      |
///  |              Destination Address (16 bytes)                   |      RFC 8200 3
///
/// A payload length of zero with a hop-by-hop header is a jumbogram (RFC 2675), which no tunnel of
/// ours can carry: it fails where its extension header leaves the packet.
std::expected<IpPacket, Drop> parse_v6(Bytes packet, Extent extent) {
  ByteReader reader(packet);
  IpPacket ip;
  const std::uint32_t first_word = reader.u32();
  std::size_t payload_length = reader.u16();
  ip.protocol = reader.u8();
  ip.hop_limit = reader.u8();
  reader.skip(16 + 16);
  if (extent == Extent::Head) payload_length = std::min(payload_length, reader.left());
  if (reader.truncated() || payload_length > reader.left()) return kMalformed;

  ip.bytes = packet.first(kIpv6HeaderSize + payload_length);
  ip.version = IpVersion::V6;
  ip.traffic_class = static_cast<std::uint8_t>(first_word >> 20);
  ip.header_size = kIpv6HeaderSize;
  if (is_v4_mapped(ip.source_bytes()) || is_v4_mapped(ip.destination_bytes())) return kMalformed;
  if (is_extension(ip.protocol) && !walk_extensions(ip)) return kMalformed;
  return ip;
}

std::expected<IpPacket, Drop> parse(Bytes packet, Extent extent) {
  if (packet.empty()) return kMalformed;
  switch (packet[0] >> 4) {
    case 4: return parse_v4(packet, extent);
    case 6: return parse_v6(packet, extent);
    default: return kMalformed;
  }
}

}  // namespace

std::expected<IpPacket, Drop> parse_ip_packet(Bytes packet) { return parse(packet, Extent::Whole); }

std::expected<IpPacket, Drop> parse_ip_head(Bytes head) { return parse(head, Extent::Head); }

IpAddress IpPacket::source() const {
  return is_v4() ? IpAddress::v4(source_bytes()) : IpAddress::v6(source_bytes());
}

IpAddress IpPacket::destination() const {
  return is_v4() ? IpAddress::v4(destination_bytes()) : IpAddress::v6(destination_bytes());
}

std::optional<TcpHeader> IpPacket::tcp() const {
  if (protocol != ip_protocol::kTcp || is_later_fragment) return std::nullopt;

  ByteReader reader(payload());
  TcpHeader tcp;
  tcp.source_port = reader.u16();
  tcp.destination_port = reader.u16();
  tcp.sequence = reader.u32();
  tcp.acknowledgement = reader.u32();
  const std::uint8_t offset = reader.u8();
  tcp.header_size = static_cast<std::uint8_t>((offset >> 4) * 4);
  tcp.reserved = offset & 0x0f;
  tcp.flags = reader.u8();
  tcp.window = reader.u16();
  tcp.checksum = reader.u16();
  tcp.urgent_pointer = reader.u16();
  if (reader.truncated() || tcp.header_size < kTcpHeaderMin) return std::nullopt;
  tcp.options = reader.take(tcp.header_size - kTcpHeaderMin);
  tcp.payload = reader.take_rest();
  if (reader.truncated()) return std::nullopt;
  return tcp;
}

std::optional<UdpHeader> IpPacket::udp() const {
  if (protocol != ip_protocol::kUdp || is_later_fragment) return std::nullopt;

  ByteReader reader(payload());
  UdpHeader udp;
  udp.source_port = reader.u16();
  udp.destination_port = reader.u16();
  udp.length = reader.u16();
  udp.checksum = reader.u16();
  if (reader.truncated() || udp.length < kUdpHeaderSize) return std::nullopt;
  const std::size_t payload_size = udp.length - kUdpHeaderSize;
  // The rest of a fragmented datagram is elsewhere.
  udp.payload =
      is_fragment ? reader.take(std::min(payload_size, reader.left())) : reader.take(payload_size);
  if (reader.truncated()) return std::nullopt;
  return udp;
}

}  // namespace ringway
