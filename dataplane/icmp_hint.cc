#include "dataplane/icmp_hint.h"

#include <algorithm>

#include "base/cursor.h"

namespace ringway {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kIpv4Header = 20;
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kFragmentationNeeded = 4;
constexpr std::uint8_t kPacketTooBig = 2;

/// An IPv4 header; what follows it is left in `reader`.
struct Ipv4Header {
  std::uint16_t total_length = 0;
  std::uint16_t offset = 0;
  std::uint8_t protocol = 0;
  IpAddress source;
  IpAddress destination;
};

std::optional<Ipv4Header> read_ipv4(ByteReader& reader) {
  Ipv4Header header;
  const std::uint8_t version_and_length = reader.u8();
  reader.skip(1);
  header.total_length = reader.u16();
  reader.skip(2);
  header.offset = reader.u16() & 0x1fff;
  reader.skip(1);
  header.protocol = reader.u8();
  reader.skip(2);
  header.source = IpAddress::v4(reader.u32());
  header.destination = IpAddress::v4(reader.u32());
  const std::size_t size = (version_and_length & 0x0f) * 4u;
  if (version_and_length >> 4 != 4 || size < kIpv4Header) return std::nullopt;
  reader.skip(size - kIpv4Header);
  if (reader.truncated()) return std::nullopt;
  return header;
}

/// The two ports that every ICMP message quotes at least.
std::optional<IcmpHint> read_ports(ByteReader& reader, IcmpHint hint) {
  hint.from.port = reader.u16();
  hint.to.port = reader.u16();
  if (reader.truncated() || hint.mtu == 0) return std::nullopt;
  return hint;
}

}  // namespace

std::optional<IcmpHint> read_fragmentation_needed(Bytes packet) {
  ByteReader reader(packet);
  const auto outer = read_ipv4(reader);
  if (!outer || outer->protocol != kIcmp || outer->offset != 0) return std::nullopt;
  if (reader.u8() != kUnreachable || reader.u8() != kFragmentationNeeded) return std::nullopt;
  reader.skip(4);
  const std::uint16_t mtu = reader.u16();

  const auto quoted = read_ipv4(reader);
  if (!quoted || quoted->protocol != kUdp || quoted->offset != 0) return std::nullopt;
  const std::uint16_t least = std::max<std::uint16_t>(quoted->total_length, 1) - 1;
  return read_ports(reader, {.from = {.address = quoted->source},
                             .to = {.address = quoted->destination},
                             .mtu = mtu != 0 ? mtu : least});
}

std::optional<IcmpHint> read_packet_too_big(Bytes message) {
  ByteReader reader(message);
  if (reader.u8() != kPacketTooBig) return std::nullopt;
  reader.skip(3);
  const std::uint32_t mtu = reader.u32();

  const std::uint8_t version = reader.u8() >> 4;
  reader.skip(5);
  const std::uint8_t next_header = reader.u8();
  reader.skip(1);
  const Bytes source = reader.take(16);
  const Bytes destination = reader.take(16);
  if (reader.truncated() || version != 6 || next_header != kUdp) return std::nullopt;
  const IpAddress from = IpAddress::v6(source);
  const IpAddress to = IpAddress::v6(destination);
  // No IPv6 packet has a v4-mapped address: taken for IPv4, it would name a path of that family.
  if (from.is_v4() || to.is_v4()) return std::nullopt;
  return read_ports(reader,
                    {.from = {.address = from},
                     .to = {.address = to},
                     .mtu = static_cast<std::uint16_t>(std::min<std::uint32_t>(mtu, 0xffff))});
}

}  // namespace ringway
