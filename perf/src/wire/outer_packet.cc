#include "perf/src/wire/outer_packet.h"

#include "base/check.h"
#include "base/cursor.h"
#include "tun/checksum.h"
#include "tun/ip_packet.h"

namespace ringway::wire {
namespace {

constexpr std::uint16_t kUdpChecksumOffset = 6;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint8_t kHopLimit = 60;

std::size_t ip_header_size(const OuterPath& path) {
  return path.client.address.is_v4() ? kIpv4HeaderMin : kIpv6HeaderSize;
}

void write_v4(const OuterPath& path, std::size_t udp_length, MutableBytes header) {
  ByteWriter writer(header);
  writer.u8(0x45);
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(kIpv4HeaderMin + udp_length));
  writer.u16(0);
  writer.u16(kDontFragment);
  writer.u8(kHopLimit);
  writer.u8(ip_protocol::kUdp);
  writer.u16(0);
  writer.bytes(path.client.address.wire());
  writer.bytes(path.server.address.wire());
  store_be16(header.subspan(10).data(), checksum_of(header));
}

void write_v6(const OuterPath& path, std::size_t udp_length, MutableBytes header) {
  ByteWriter writer(header);
  writer.u32(0x60000000);
  writer.u16(static_cast<std::uint16_t>(udp_length));
  writer.u8(ip_protocol::kUdp);
  writer.u8(kHopLimit);
  writer.bytes(path.client.address.wire());
  writer.bytes(path.server.address.wire());
}

struct IpEnds {
  IpAddress from;
  IpAddress to;
  std::size_t header_size = 0;
};

std::optional<IpEnds> read_v4(Bytes packet) {
  ByteReader reader(packet);
  const std::uint8_t version = reader.u8();
  reader.skip(5);
  const std::uint16_t fragment = reader.u16();
  reader.skip(1);
  const std::uint8_t protocol = reader.u8();
  reader.skip(2);
  const Bytes from = reader.take(4);
  const Bytes to = reader.take(4);
  if (reader.truncated() || version != 0x45 || protocol != ip_protocol::kUdp) return std::nullopt;
  if ((fragment & ~kDontFragment) != 0) return std::nullopt;
  return IpEnds{
      .from = IpAddress::v4(from), .to = IpAddress::v4(to), .header_size = kIpv4HeaderMin};
}

std::optional<IpEnds> read_v6(Bytes packet) {
  ByteReader reader(packet);
  reader.skip(6);
  const std::uint8_t protocol = reader.u8();
  reader.skip(1);
  const Bytes from = reader.take(16);
  const Bytes to = reader.take(16);
  if (reader.truncated() || protocol != ip_protocol::kUdp) return std::nullopt;
  return IpEnds{
      .from = IpAddress::v6(from), .to = IpAddress::v6(to), .header_size = kIpv6HeaderSize};
}

}  // namespace

std::size_t outer_headers_size(const OuterPath& path) {
  return ip_header_size(path) + kUdpHeaderSize;
}

MutableBytes write_outer_headers(const OuterPath& path, const OuterLoad& load, MutableBytes out) {
  const std::size_t ip_size = ip_header_size(path);
  const std::size_t udp_length = kUdpHeaderSize + load.payload_size;
  RW_ASSERT(ip_size + udp_length <= 65535);
  const MutableBytes used = out.first(kVnetHeaderSize + ip_size + kUdpHeaderSize);
  const MutableBytes ip = used.subspan(kVnetHeaderSize, ip_size);
  const bool v4 = path.client.address.is_v4();
  if (v4) {
    write_v4(path, udp_length, ip);
  } else {
    write_v6(path, udp_length, ip);
  }
  const ChecksumSum pseudo = sum_of({.addresses = v4 ? ip.subspan(12, 8) : ip.subspan(8, 32),
                                     .protocol = ip_protocol::kUdp,
                                     .length = static_cast<std::uint32_t>(udp_length)});
  ByteWriter udp(used.subspan(kVnetHeaderSize + ip_size));
  udp.u16(path.client.port);
  udp.u16(path.server.port);
  udp.u16(static_cast<std::uint16_t>(udp_length));
  udp.u16(pseudo.folded());

  const bool is_train = load.segment_size > 0 && load.segment_size < load.payload_size;
  const VnetHeader header{.needs_checksum = true,
                          .gso_type = is_train ? GsoType::UdpL4 : GsoType::None,
                          .header_size = static_cast<std::uint16_t>(ip_size + kUdpHeaderSize),
                          .gso_size = static_cast<std::uint16_t>(is_train ? load.segment_size : 0),
                          .checksum_start = static_cast<std::uint16_t>(ip_size),
                          .checksum_offset = kUdpChecksumOffset};
  write_vnet_header(used.first<kVnetHeaderSize>(), header);
  return used;
}

std::optional<OuterArrival> read_outer_arrival(const VnetHeader& header, Bytes packet_head) {
  if (packet_head.empty()) return std::nullopt;
  const auto ends = packet_head[0] >> 4 == 4 ? read_v4(packet_head) : read_v6(packet_head);
  if (!ends) return std::nullopt;

  ByteReader udp(packet_head.subspan(ends->header_size));
  OuterArrival arrival;
  arrival.from = {.address = ends->from, .port = udp.u16()};
  arrival.to = {.address = ends->to, .port = udp.u16()};
  const std::size_t length = udp.u16();
  udp.skip(2);
  if (udp.truncated() || length < kUdpHeaderSize) return std::nullopt;
  arrival.payload_offset = ends->header_size + kUdpHeaderSize;
  arrival.payload_size = length - kUdpHeaderSize;
  arrival.segment_size = header.is_gso() ? header.gso_size : arrival.payload_size;
  if (arrival.segment_size > 0) {
    arrival.datagram_count =
        (arrival.payload_size + arrival.segment_size - 1) / arrival.segment_size;
  }
  return arrival;
}

}  // namespace ringway::wire
