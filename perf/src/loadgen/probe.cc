#include "perf/src/loadgen/probe.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"
#include "tun/checksum.h"
#include "tun/ip_packet.h"

namespace ringway::loadgen {
namespace {

void write_v4_header(const ProbePath& path, MutableBytes packet) {
  ByteWriter writer(packet);
  writer.u8(0x45);
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(packet.size()));
  writer.u32(0x4000);  // No identification; DF. The two words are corrected below.
  writer.u8(64);
  writer.u8(ip_protocol::kUdp);
  writer.u16(0);
  writer.bytes(path.from.wire());
  writer.bytes(path.to.wire());
  store_be32(&packet[4], 0x0000'4000);
  store_be16(&packet[10], checksum_of(Bytes(packet).first(kIpv4HeaderMin)));
}

void write_v6_header(const ProbePath& path, MutableBytes packet) {
  ByteWriter writer(packet);
  writer.u32(0x6000'0000);
  writer.u16(static_cast<std::uint16_t>(packet.size() - kIpv6HeaderSize));
  writer.u8(ip_protocol::kUdp);
  writer.u8(64);
  writer.bytes(path.from.wire());
  writer.bytes(path.to.wire());
}

}  // namespace

std::optional<Probe> Probe::read(Bytes payload) {
  ByteReader reader(payload);
  if (reader.u32() != kMagic) return std::nullopt;
  Probe probe;
  probe.run = reader.u32();
  probe.client = reader.u32();
  probe.answers = reader.u16();
  probe.answer = reader.u16();
  probe.up_number = reader.u64();
  probe.down_number = reader.u64();
  probe.sent_at = static_cast<std::int64_t>(reader.u64());
  probe.echoed_at = static_cast<std::int64_t>(reader.u64());
  probe.up_received = reader.u32();
  probe.up_reordered = reader.u32();
  probe.up_duplicated = reader.u32();
  if (reader.truncated()) return std::nullopt;
  return probe;
}

void Probe::write(MutableBytes payload) const {
  ByteWriter writer(payload);
  writer.u32(kMagic);
  writer.u32(run);
  writer.u32(client);
  writer.u16(answers);
  writer.u16(answer);
  writer.u64(up_number);
  writer.u64(down_number);
  writer.u64(static_cast<std::uint64_t>(sent_at));
  writer.u64(static_cast<std::uint64_t>(echoed_at));
  writer.u32(up_received);
  writer.u32(up_reordered);
  writer.u32(up_duplicated);
  RW_ASSERT(!writer.overflowed());
}

std::size_t probe_overhead(const ProbePath& path) {
  return (path.from.is_v4() ? kIpv4HeaderMin : kIpv6HeaderSize) + kUdpHeaderSize;
}

void write_probe_packet(const ProbePath& path, const Probe& probe, MutableBytes packet) {
  RW_ASSERT(packet.size() >= probe_overhead(path) + Probe::kSize);
  RW_ASSERT(path.from.is_v4() == path.to.is_v4());
  path.from.is_v4() ? write_v4_header(path, packet) : write_v6_header(path, packet);

  const std::size_t header_size = probe_overhead(path) - kUdpHeaderSize;
  const MutableBytes datagram = packet.subspan(header_size);
  const auto length = static_cast<std::uint16_t>(datagram.size());
  store_be16(&datagram[0], Probe::kPort);
  store_be16(&datagram[2], Probe::kPort);
  store_be16(&datagram[4], length);
  store_be16(&datagram[6], 0);
  probe.write(datagram.subspan(kUdpHeaderSize));

  const std::size_t address_size = path.from.wire().size();
  ChecksumSum sum =
      sum_of({.addresses = Bytes(packet).subspan(header_size - 2 * address_size, 2 * address_size),
              .protocol = ip_protocol::kUdp,
              .length = length});
  sum.add(datagram);
  const std::uint16_t checksum = sum.checksum();
  // RFC 768: a sum of zero is sent as all ones, for zero means that there is none.
  store_be16(&datagram[6], checksum == 0 ? 0xffff : checksum);
}

std::optional<Probe> read_probe_packet(Bytes packet) {
  if (packet.empty()) return std::nullopt;
  const std::size_t header_size = packet[0] >> 4 == 4 ? kIpv4HeaderMin : kIpv6HeaderSize;
  const std::size_t protocol_at = header_size == kIpv4HeaderMin ? 9 : 6;
  if (packet.size() < header_size + kUdpHeaderSize) return std::nullopt;
  if (packet[protocol_at] != ip_protocol::kUdp) return std::nullopt;
  return Probe::read(packet.subspan(header_size + kUdpHeaderSize));
}

}  // namespace ringway::loadgen
