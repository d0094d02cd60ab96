#include "perf/src/wire/inner_packet.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"
#include "tun/checksum.h"
#include "tun/ip_packet.h"

namespace ringway::wire {
namespace {

constexpr std::size_t kIpPacketMax = 65535;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kUdpChecksum = 6;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kWindow = 501;

std::uint8_t pattern_at(std::size_t offset) { return static_cast<std::uint8_t>(offset * 7 + 13); }

void write_ip_header(MutableBytes packet, const InnerPath& path, std::uint8_t protocol) {
  packet[0] = 0x45;
  store_be16(packet.subspan(2).data(), static_cast<std::uint16_t>(packet.size()));
  store_be16(packet.subspan(6).data(), kDontFragment);
  packet[8] = 64;
  packet[9] = protocol;
  std::ranges::copy(path.source.wire(), packet.subspan(12).begin());
  std::ranges::copy(path.destination.wire(), packet.subspan(16).begin());
}

void write_tcp_header(MutableBytes segment, const InnerPath& path) {
  store_be16(segment.data(), path.source_port);
  store_be16(segment.subspan(2).data(), path.destination_port);
  store_be32(segment.subspan(8).data(), 1);
  segment[12] = 5 << 4;
  segment[13] = tcp_flag::kAck;
  store_be16(segment.subspan(14).data(), kWindow);
}

void write_udp_header(MutableBytes datagram, const InnerPath& path) {
  store_be16(datagram.data(), path.source_port);
  store_be16(datagram.subspan(2).data(), path.destination_port);
  store_be16(datagram.subspan(4).data(), static_cast<std::uint16_t>(datagram.size()));
}

/// Total length, identification and the header's checksum.
void finish_ip_header(MutableBytes packet, std::uint16_t identification) {
  store_be16(packet.subspan(2).data(), static_cast<std::uint16_t>(packet.size()));
  store_be16(packet.subspan(4).data(), identification);
  store_be16(packet.subspan(10).data(), 0);
  store_be16(packet.subspan(10).data(), checksum_of(packet.first(kIpv4HeaderMin)));
}

ChecksumSum pseudo_sum(Bytes packet) {
  return sum_of({.addresses = packet.subspan(12, 8),
                 .protocol = packet[9],
                 .length = static_cast<std::uint32_t>(packet.size() - kIpv4HeaderMin)});
}

}  // namespace

InnerFlow::InnerFlow(InnerKind kind, const InnerPath& path, std::size_t packet_size)
    : kind_(kind),
      headers_size_(kIpv4HeaderMin + (kind == InnerKind::Tcp ? kTcpHeaderMin : kUdpHeaderSize)),
      plain_(packet_size) {
  RW_ASSERT(packet_size >= kPacketMin && packet_size <= kPacketMax);
  RW_ASSERT(path.source.is_v4() && path.destination.is_v4());
  const MutableBytes packet(plain_);
  const MutableBytes transport = packet.subspan(kIpv4HeaderMin);
  const bool is_tcp = kind == InnerKind::Tcp;
  write_ip_header(packet, path, is_tcp ? ip_protocol::kTcp : ip_protocol::kUdp);
  if (is_tcp) {
    write_tcp_header(transport, path);
  } else {
    write_udp_header(transport, path);
  }
  for (std::size_t i = headers_size_ + Stamp::kSize; i < packet.size(); ++i) {
    packet[i] = pattern_at(i - headers_size_);
  }
  ChecksumSum sum = pseudo_sum(packet);
  sum.add(transport);
  plain_sum_ = sum.folded();
}

std::size_t InnerFlow::train_max() const {
  return std::min(kTrainMax, (kIpPacketMax - headers_size_) / payload_size());
}

MutableBytes InnerFlow::write(const Stamp& stamp, MutableBytes out) {
  const MutableBytes packet = out.first(plain_.size());
  std::ranges::copy(plain_, packet.begin());
  const MutableBytes stamp_room = packet.subspan(headers_size_, Stamp::kSize);
  stamp.write(stamp_room);
  write_sequence(packet);
  finish_ip_header(packet, identification_);

  ChecksumSum sum;
  sum.add_word(plain_sum_);
  sum.add(Bytes(stamp_room));
  if (kind_ == InnerKind::Tcp) sum.add_field(sequence_);
  std::uint16_t checksum = sum.checksum();
  // RFC 768: zero says "no checksum".
  if (kind_ == InnerKind::Udp && checksum == 0) checksum = 0xffff;
  store_be16(packet.subspan(checksum_offset()).data(), checksum);
  advance(1);
  return packet;
}

InnerFlow::Train InnerFlow::write_train(std::span<const Stamp> stamps, MutableBytes out) {
  RW_ASSERT(!stamps.empty() && stamps.size() <= train_max());
  const MutableBytes packet = out.first(headers_size_ + stamps.size() * payload_size());
  std::ranges::copy(Bytes(plain_).first(headers_size_), packet.begin());
  const Bytes payload = Bytes(plain_).subspan(headers_size_);
  MutableBytes room = packet.subspan(headers_size_);
  for (const Stamp& stamp : stamps) {
    std::ranges::copy(payload, room.begin());
    stamp.write(room);
    room = room.subspan(payload.size());
  }
  write_sequence(packet);
  finish_ip_header(packet, identification_);
  if (kind_ == InnerKind::Udp) {
    const std::size_t length = packet.size() - kIpv4HeaderMin;
    store_be16(packet.subspan(kIpv4HeaderMin + 4).data(), static_cast<std::uint16_t>(length));
  }
  store_be16(packet.subspan(checksum_offset()).data(), pseudo_sum(packet).folded());
  advance(stamps.size());

  const bool is_tcp = kind_ == InnerKind::Tcp;
  return {
      .header = {.needs_checksum = true,
                 .gso_type = stamps.size() == 1 ? GsoType::None
                             : is_tcp           ? GsoType::TcpV4
                                                : GsoType::UdpL4,
                 .header_size = static_cast<std::uint16_t>(headers_size_),
                 .gso_size = static_cast<std::uint16_t>(stamps.size() == 1 ? 0 : payload.size()),
                 .checksum_start = kIpv4HeaderMin,
                 .checksum_offset = static_cast<std::uint16_t>(checksum_offset() - kIpv4HeaderMin)},
      .packet = packet};
}

void InnerFlow::write_sequence(MutableBytes packet) const {
  if (kind_ != InnerKind::Tcp) return;
  store_be32(packet.subspan(kIpv4HeaderMin + 4).data(), sequence_);
}

void InnerFlow::advance(std::size_t packets) {
  identification_ = static_cast<std::uint16_t>(identification_ + packets);
  sequence_ += static_cast<std::uint32_t>(packets * payload_size());
}

std::size_t InnerFlow::checksum_offset() const {
  return kIpv4HeaderMin + (kind_ == InnerKind::Tcp ? kTcpChecksum : kUdpChecksum);
}

std::optional<InnerArrival> read_inner_arrival(const VnetHeader& header, Bytes packet_head) {
  ByteReader reader(packet_head);
  if (reader.u8() != 0x45) return std::nullopt;
  reader.take(1);
  const std::size_t total = reader.u16();
  reader.take(5);
  const std::uint8_t protocol = reader.u8();
  if (reader.truncated()) return std::nullopt;
  if (protocol != ip_protocol::kTcp && protocol != ip_protocol::kUdp) return std::nullopt;

  const bool is_tcp = protocol == ip_protocol::kTcp;
  const std::size_t headers = kIpv4HeaderMin + (is_tcp ? kTcpHeaderMin : kUdpHeaderSize);
  if (packet_head.size() < headers + Stamp::kSize || total < headers + Stamp::kSize) {
    return std::nullopt;
  }
  const auto stamp = Stamp::read(packet_head.subspan(headers));
  if (!stamp) return std::nullopt;
  const std::size_t payload = total - headers;
  const std::size_t each = header.is_gso() ? header.gso_size : payload;
  return InnerArrival{.stamp = *stamp,
                      .packet_count = (payload + each - 1) / each,
                      .payload_offset = headers,
                      .payload_size = each};
}

bool payload_is_intact(Bytes payload) {
  if (payload.size() < Stamp::kSize) return false;
  for (std::size_t i = Stamp::kSize; i < payload.size(); ++i) {
    if (payload[i] != pattern_at(i)) return false;
  }
  return true;
}

}  // namespace ringway::wire
