#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "tests/tun/packets.h"
#include "tun/segmenter.h"

/// What a TUN queue gave, cut. What must hold for any bytes that pass the checks: the packets are
/// well-formed, their payloads joined are the super-packet's, each but the last has the segment
/// size, the checksums are right where the kernel kept its side of the bargain, and cutting in
/// place gives the same.
namespace ringway {
namespace {

using test::Packet;

/// Whether the unfinished checksum is the sum that it should be.
bool is_honest(const VnetHeader& header, const IpPacket& ip) {
  if (ip.has_options) return false;  // A routing header changes the destination that is summed.
  if (!header.needs_checksum) return true;
  if (header.checksum_start != ip.header_size) return false;
  const Bytes transport = ip.payload();
  const std::uint16_t complement = test::reference_checksum(
      {}, test::reference_pseudo_sum(ip.bytes, ip.protocol, transport.size()));
  return load_be16(transport.data() + header.checksum_offset) ==
         static_cast<std::uint16_t>(~complement);
}

void check_checksums(const Packet& packet, const IpPacket& ip) {
  const bool is_tcp = ip.protocol == ip_protocol::kTcp;
  const std::size_t field = ip.header_size + std::size_t{is_tcp ? 16u : 6u};
  if (!is_tcp && ip.is_v4() && load_be16(packet.data() + field) == 0) return;
  RW_ASSERT(load_be16(packet.data() + field) ==
            test::reference_transport_checksum(packet, ip.header_size, field));
}

/// Cutting in place gives the same packets as copying does.
void check_in_place(Bytes frame, Segmenter copying) {
  if (!copying.can_cut_in_place()) return;
  Packet super(frame.begin() + kVnetHeaderSize, frame.end());
  Segmenter cutting = copying;
  cutting.note_moved(super);
  while (copying.next_size() > 0) {
    Packet expected(copying.next_size());
    copying.write_next(expected);
    RW_ASSERT(std::ranges::equal(cutting.next_in_place(super), expected));
  }
  RW_ASSERT(cutting.next_size() == 0);
}

void check_segments(const VnetHeader& header, const IpPacket& super, Segmenter segmenter) {
  const bool honest = is_honest(header, super);
  Packet joined;
  std::size_t count = 0;
  for (std::size_t size = segmenter.next_size(); size > 0; size = segmenter.next_size()) {
    Packet packet(size);
    RW_ASSERT(segmenter.write_next(packet).size() == size);
    const auto ip = parse_ip_packet(packet);
    RW_ASSERT(ip.has_value());
    RW_ASSERT(ip->total_length() == size);
    ++count;
    if (!header.is_gso()) continue;
    const auto tcp = ip->tcp();
    const auto udp = ip->udp();
    RW_ASSERT(tcp.has_value() || udp.has_value());
    const Bytes payload = tcp ? tcp->payload : udp->payload;
    RW_ASSERT(payload.size() == header.gso_size || count == segmenter.packet_count());
    if (tcp) {
      const std::size_t sequence = super.tcp()->sequence + joined.size();
      RW_ASSERT(tcp->sequence == static_cast<std::uint32_t>(sequence));
    }
    joined.insert(joined.end(), payload.begin(), payload.end());
    if (super.is_v4()) {
      RW_ASSERT(test::reference_checksum(Bytes(packet).first(ip->header_size)) == 0);
    }
    if (honest) check_checksums(packet, *ip);
  }
  RW_ASSERT(count == segmenter.packet_count());
  if (!header.is_gso()) return;
  const Bytes payload = super.tcp() ? super.tcp()->payload : super.udp()->payload;
  RW_ASSERT(std::ranges::equal(joined, payload));
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ringway::Bytes frame(data, size);
  const auto header = ringway::parse_vnet_header(frame);
  if (!header) return 0;
  const auto ip = ringway::parse_ip_packet(frame.subspan(ringway::kVnetHeaderSize));
  if (!ip) return 0;
  const auto segmenter = ringway::Segmenter::start(*header, *ip);
  if (!segmenter) return 0;
  ringway::check_segments(*header, *ip, *segmenter);
  ringway::check_in_place(frame, *segmenter);
  return 0;
}
