#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "tests/tun/packets.h"
#include "tun/fitted_packets.h"
#include "tun/too_big.h"

/// What a TUN queue gave, over a path that it does not fit. What must hold for any bytes that pass
/// the checks: the packets made of it fit, are well-formed, and put together are the segments; and
/// an answer to it is a packet that nobody answers.
///
///     limit:2  virtio header and packet
namespace ringway {
namespace {

using test::Packet;

/// The segments, cut by copying.
std::vector<Packet> segments_of(Segmenter segmenter) {
  std::vector<Packet> segments;
  while (segmenter.next_size() > 0) {
    Packet segment(segmenter.next_size());
    segmenter.write_next(segment);
    segments.push_back(segment);
  }
  return segments;
}

Bytes payload_of(const Packet& packet) {
  return Bytes(packet).subspan((packet[0] & 0x0f) * std::size_t{4});
}

void check_fragment(const Packet& packet, const Packet& whole, std::size_t joined) {
  RW_ASSERT(test::reference_checksum(
                Bytes(packet).first(packet.size() - payload_of(packet).size())) == 0);
  const std::size_t base = load_be16(whole.data() + 6) & 0x1fffu;
  const std::size_t offset = load_be16(packet.data() + 6) & 0x1fffu;
  RW_ASSERT((offset - base) * 8 == joined);
  const bool is_last = joined + payload_of(packet).size() == payload_of(whole).size();
  const bool whole_has_more = (load_be16(whole.data() + 6) & 0x2000) != 0;
  const bool has_more = (load_be16(packet.data() + 6) & 0x2000) != 0;
  RW_ASSERT(has_more == (!is_last || whole_has_more));
}

void check_fitted(const Segmenter& segmenter, Packet frame, std::size_t limit) {
  const std::vector<Packet> segments = segments_of(segmenter);
  Segmenter moved = segmenter;
  moved.note_moved(frame);
  FittedPackets packets(moved, frame, limit);
  for (const Packet& segment : segments) {
    Packet joined;
    while (joined.size() < payload_of(segment).size() || payload_of(segment).empty()) {
      RW_ASSERT(packets.next_size() > 0);
      Packet packet(packets.next_size());
      packets.write_next(packet);
      RW_ASSERT(packet.size() <= limit);
      const auto ip = parse_ip_packet(packet);
      RW_ASSERT(ip && ip->total_length() == packet.size());
      if (segment.size() > limit) {
        check_fragment(packet, segment, joined.size());
      } else {
        RW_ASSERT(packet == segment);
      }
      joined.insert(joined.end(), payload_of(packet).begin(), payload_of(packet).end());
      if (payload_of(segment).empty()) break;
    }
    RW_ASSERT(std::ranges::equal(joined, payload_of(segment)));
  }
  RW_ASSERT(packets.next_size() == 0);
}

void check_answer(const Segmenter& segmenter, std::size_t limit) {
  const Packet first = segments_of(segmenter).front();
  const auto about = parse_ip_packet(first);
  RW_ASSERT(about.has_value());
  if (!may_be_told_too_big(*about)) return;
  Packet out(kTooBigSizeMax);
  const MutableBytes answer =
      write_too_big(out, *about, {.from = about->destination(), .mtu = inner_limit(*about, limit)});
  const auto ip = parse_ip_packet(answer);
  RW_ASSERT(ip && ip->total_length() == answer.size());
  RW_ASSERT(ip->destination() == about->source());
  RW_ASSERT(!may_be_told_too_big(*ip));
}

}  // namespace
}  // namespace ringway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ringway;
  if (size < 2 + kVnetHeaderSize) return 0;
  const std::size_t limit = std::max<std::size_t>(load_be16(data), Fragmenter::kLimitMin);
  const Bytes frame = Bytes(data, size).subspan(2);
  const auto header = parse_vnet_header(frame);
  if (!header) return 0;
  const Bytes packet = frame.subspan(kVnetHeaderSize);
  const auto ip = parse_ip_packet(packet);
  if (!ip) return 0;
  const auto segmenter = Segmenter::start(*header, *ip);
  if (!segmenter) return 0;
  check_answer(*segmenter, limit);
  if (!FittedPackets::can_fit(*segmenter, limit)) return 0;
  check_fitted(*segmenter, {packet.begin(), packet.end()}, limit);
  return 0;
}
