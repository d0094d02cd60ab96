#include "tun/segmenter.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tun/checksum.h"

namespace ringway {
namespace {

constexpr std::unexpected<Drop> kBad(Drop::BadVnetHeader);

// Where the fields stand that differ between segments.
constexpr std::size_t kIpv4TotalLength = 2;
constexpr std::size_t kIpv4Identification = 4;
constexpr std::size_t kIpv4Checksum = 10;
constexpr std::size_t kIpv6PayloadLength = 4;
constexpr std::size_t kTcpSequence = 4;
constexpr std::size_t kTcpSizeAndFlags = 12;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kUdpLength = 4;
constexpr std::size_t kUdpChecksum = 6;

bool is_right_kind(GsoType type, const IpPacket& ip) {
  switch (type) {
    case GsoType::None: return true;
    case GsoType::TcpV4: return ip.is_v4() && ip.protocol == ip_protocol::kTcp;
    case GsoType::TcpV6: return !ip.is_v4() && ip.protocol == ip_protocol::kTcp;
    case GsoType::UdpL4: return ip.protocol == ip_protocol::kUdp;
  }
  return false;
}

void store_size16(std::uint8_t* to, std::size_t size) {
  RW_ASSERT(size <= 0xffff);
  store_be16(to, static_cast<std::uint16_t>(size));
}

/// RFC 768: a UDP checksum of zero would say that there is none.
std::uint16_t never_zero(std::uint16_t checksum) {
  return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

/// Behind the IP header, and within the packet.
bool has_possible_checksum(const VnetHeader& header, const IpPacket& ip) {
  const std::size_t end = std::size_t{header.checksum_start} + header.checksum_offset + 2;
  return header.checksum_start >= ip.header_size && end <= ip.total_length();
}

/// The field holds the sum of the pseudo header, which is thereby part of the sum.
void finish_checksum_at(MutableBytes packet, const VnetHeader& header) {
  const std::uint16_t checksum = checksum_of(packet.subspan(header.checksum_start));
  const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
  const bool is_udp = header.checksum_offset == kUdpChecksum;
  store_be16(packet.data() + field, is_udp ? never_zero(checksum) : checksum);
}

}  // namespace

/// One packet on its way into the caller's memory.
struct Segmenter::Segment {
  MutableBytes packet;
  std::size_t index = 0;
  bool is_last = false;
};

bool finish_checksum(MutableBytes packet, const IpPacket& ip, const VnetHeader& header) {
  RW_ASSERT(packet.size() >= ip.total_length());
  if (!header.needs_checksum) return true;
  if (!has_possible_checksum(header, ip)) return false;
  finish_checksum_at(packet.first(ip.total_length()), header);
  return true;
}

std::expected<Segmenter, Drop> Segmenter::start(const VnetHeader& header, const IpPacket& ip) {
  Segmenter segmenter(header, ip);
  if (!header.is_gso()) {
    if (header.needs_checksum && !has_possible_checksum(header, ip)) return kBad;
    segmenter.headers_size_ = ip.total_length();
    return segmenter;
  }
  if (header.gso_size == 0 || ip.is_fragment || !is_right_kind(header.gso_type, ip)) return kBad;
  if (!segmenter.find_sizes() || !segmenter.find_pseudo_sum()) return kBad;
  segmenter.find_header_sums();
  return segmenter;
}

bool Segmenter::find_sizes() {
  if (const auto tcp = ip_.tcp()) {
    payload_size_ = tcp->payload.size();
  } else if (const auto udp = ip_.udp(); udp && udp->length == ip_.payload().size()) {
    payload_size_ = udp->payload.size();
    has_checksum_ = header_.needs_checksum || udp->checksum != 0 || !ip_.is_v4();
  } else {
    return false;
  }
  headers_size_ = ip_.total_length() - payload_size_;
  const std::size_t gso_size = header_.gso_size;
  packet_count_ = std::max((payload_size_ + gso_size - 1) / gso_size, std::size_t{1});
  return packet_count_ <= kSegmentsMax;
}

/// Where the kernel left the checksum unfinished, its field holds the sum for the whole
/// super-packet. That is used, not the addresses: behind an IPv6 routing header, the destination
/// that counts is another than the header's (RFC 8200 8.1).
bool Segmenter::find_pseudo_sum() {
  if (!header_.needs_checksum) {
    pseudo_sum_ =
        sum_of({.addresses = ip_.is_v4() ? ip_.bytes.subspan(12, 8) : ip_.bytes.subspan(8, 32),
                .protocol = ip_.protocol});
    return true;
  }
  const std::size_t field = ip_.protocol == ip_protocol::kTcp ? kTcpChecksum : kUdpChecksum;
  if (header_.checksum_start != ip_.header_size || header_.checksum_offset != field) return false;
  const Bytes transport = ip_.payload();
  pseudo_sum_.add_word(load_be16(transport.data() + field));
  // Subtraction, in one's complement.
  pseudo_sum_.add_word(static_cast<std::uint16_t>(~transport.size()));
  return true;
}

/// Summed once for all segments. What differs is added to it from registers: a sum over fields that
/// were stored a moment ago would wait for the stores.
void Segmenter::find_header_sums() {
  const std::uint8_t* ip = ip_.bytes.data();
  if (ip_.is_v4()) {
    identification_ = load_be16(ip + kIpv4Identification);
    ip_sum_.add_word(load_be16(ip));
    ip_sum_.add_field(load_be32(ip + kIpv4Identification + 2));
    ip_sum_.add(ip_.bytes.first(ip_.header_size).subspan(kIpv4Checksum + 2));
  }
  const Bytes header = ip_.bytes.first(headers_size_).subspan(ip_.header_size);
  transport_sum_ = pseudo_sum_;
  transport_sum_.add_field(load_be32(header.data()));  // Both ports.
  if (ip_.protocol != ip_protocol::kTcp) return;
  sequence_ = load_be32(header.data() + kTcpSequence);
  tcp_size_and_flags_ = load_be16(header.data() + kTcpSizeAndFlags);
  transport_sum_.add(header.subspan(kTcpSequence + 4, 4));
  transport_sum_.add(header.subspan(kTcpSizeAndFlags + 2, 2));
  transport_sum_.add(header.subspan(kTcpChecksum + 2));
}

std::size_t Segmenter::next_size() const {
  if (written_count_ == packet_count_) return 0;
  if (!header_.is_gso()) return headers_size_;
  const std::size_t sent = written_count_ * header_.gso_size;
  return headers_size_ + std::min(payload_size_ - sent, std::size_t{header_.gso_size});
}

Segmenter::Segment Segmenter::take_segment(MutableBytes packet) {
  const Segment segment{
      .packet = packet, .index = written_count_, .is_last = written_count_ + 1 == packet_count_};
  ++written_count_;
  return segment;
}

MutableBytes Segmenter::write_next(MutableBytes out) {
  const std::size_t size = next_size();
  RW_ASSERT(size > 0);
  RW_ASSERT(out.size() >= size);
  const Segment segment = take_segment(out.first(size));
  std::memcpy(segment.packet.data(), ip_.bytes.data(), headers_size_);
  if (!header_.is_gso()) {
    if (header_.needs_checksum) finish_checksum_at(segment.packet, header_);
    return segment.packet;
  }

  const std::size_t payload_at = headers_size_ + segment.index * header_.gso_size;
  std::memcpy(segment.packet.data() + headers_size_, ip_.bytes.data() + payload_at,
              size - headers_size_);
  rewrite(segment);
  return segment.packet;
}

MutableBytes Segmenter::next_in_place(MutableBytes super_packet) {
  RW_ASSERT(super_packet.data() == ip_.bytes.data());
  RW_ASSERT(super_packet.size() >= ip_.total_length());
  RW_ASSERT(can_cut_in_place());
  const std::size_t size = next_size();
  RW_ASSERT(size > 0);
  if (!header_.is_gso()) {
    const Segment whole = take_segment(super_packet.first(size));
    if (header_.needs_checksum) finish_checksum_at(whole.packet, header_);
    return whole.packet;
  }

  const std::size_t begin = written_count_ * header_.gso_size;
  const Segment segment = take_segment(super_packet.subspan(begin, size));
  // What differs is written anew for each, so that the first packet's headers serve the others.
  if (begin > 0) std::memcpy(segment.packet.data(), super_packet.data(), headers_size_);
  rewrite(segment);
  return segment.packet;
}

void Segmenter::note_moved(MutableBytes super_packet) {
  RW_ASSERT(written_count_ == 0);
  RW_ASSERT(super_packet.size() >= ip_.total_length());
  ip_.bytes = super_packet.first(ip_.total_length());
}

void Segmenter::rewrite(const Segment& segment) const {
  rewrite_ip(segment);
  if (ip_.protocol == ip_protocol::kTcp) {
    rewrite_tcp(segment);
  } else {
    rewrite_udp(segment);
  }
}

void Segmenter::rewrite_ip(const Segment& segment) const {
  std::uint8_t* ip = segment.packet.data();
  if (!ip_.is_v4()) {
    store_size16(ip + kIpv6PayloadLength, segment.packet.size() - kIpv6HeaderSize);
    return;
  }
  store_size16(ip + kIpv4TotalLength, segment.packet.size());
  const auto identification = static_cast<std::uint16_t>(identification_ + segment.index);
  store_be16(ip + kIpv4Identification, identification);
  ChecksumSum sum = ip_sum_;
  sum.add_word(static_cast<std::uint16_t>(segment.packet.size()));
  sum.add_word(identification);
  store_be16(ip + kIpv4Checksum, sum.checksum());
}

void Segmenter::rewrite_tcp(const Segment& segment) const {
  std::uint8_t* tcp = segment.packet.subspan(ip_.header_size).data();
  const auto sequence =
      static_cast<std::uint32_t>(sequence_ + segment.index * std::size_t{header_.gso_size});
  store_be32(tcp + kTcpSequence, sequence);
  // What ends the data belongs to the last segment; that the sender slowed down is said once
  // (RFC 3168 6.1.2).
  std::uint8_t cleared = 0;
  if (!segment.is_last) cleared |= tcp_flag::kFin | tcp_flag::kPsh;
  if (segment.index > 0) cleared |= tcp_flag::kCwr;
  const auto size_and_flags = static_cast<std::uint16_t>(tcp_size_and_flags_ & ~cleared);
  store_be16(tcp + kTcpSizeAndFlags, size_and_flags);
  ChecksumSum sum = sum_of_transport(segment);
  sum.add_field(sequence);
  sum.add_word(size_and_flags);
  store_be16(tcp + kTcpChecksum, sum.checksum());
}

/// But for those header fields that each segment has for itself.
ChecksumSum Segmenter::sum_of_transport(const Segment& segment) const {
  ChecksumSum sum = transport_sum_;
  sum.add_word(static_cast<std::uint16_t>(segment.packet.size() - ip_.header_size));
  sum.add(segment.packet.subspan(headers_size_));
  return sum;
}

void Segmenter::rewrite_udp(const Segment& segment) const {
  const MutableBytes transport = segment.packet.subspan(ip_.header_size);
  std::uint8_t* udp = transport.data();
  store_size16(udp + kUdpLength, transport.size());
  if (!has_checksum_) return;
  ChecksumSum sum = sum_of_transport(segment);
  sum.add_word(static_cast<std::uint16_t>(transport.size()));
  store_be16(udp + kUdpChecksum, never_zero(sum.checksum()));
}

}  // namespace ringway
