#pragma once

#include <array>
#include <vector>

#include "tests/tun/packets.h"
#include "tun/coalescer.h"
#include "tun/segmenter.h"

/// What became of a batch of packets in a Coalescer, and what a kernel would make of it. Shared by
/// the tests and the fuzz target.
namespace ringway::test {

struct Frame {
  VnetHeader header;
  Packet packet;
};

/// Empty when a frame is one that the kernel would refuse.
inline std::vector<Frame> frames_of(Coalescer& coalescer) {
  std::vector<Frame> frames;
  std::array<Bytes, Coalescer::kGatherMax> spans;
  for (std::size_t i = 0; i < coalescer.frame_count(); ++i) {
    Packet bytes;
    for (const Bytes part : coalescer.gather(i, spans)) {
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    const auto header = parse_vnet_header(bytes);
    if (!header) return {};
    frames.push_back({.header = *header, .packet = {bytes.begin() + kVnetHeaderSize, bytes.end()}});
  }
  return frames;
}

/// Everything that the frames hold, cut into packets again.
inline std::vector<Packet> cut(const std::vector<Frame>& frames) {
  std::vector<Packet> packets;
  for (const Frame& frame : frames) {
    const auto ip = parse_ip_packet(frame.packet);
    if (!ip) return {};
    auto segmenter = Segmenter::start(frame.header, *ip);
    if (!segmenter) return {};
    while (segmenter->next_size() > 0) {
      Packet out(segmenter->next_size());
      segmenter->write_next(out);
      packets.push_back(std::move(out));
    }
  }
  return packets;
}

/// The same packet, without what RFC 6864 lets anybody change: the identification of an IPv4 packet
/// that must not be fragmented, and the checksum over it.
inline Packet without_atomic_identification(Packet packet) {
  if (packet[0] >> 4 == 4 && (load_be16(packet.data() + 6) & 0x4000) != 0) {
    store_be16(packet.data() + 4, 0);
    store_be16(packet.data() + 10, 0);
  }
  return packet;
}

}  // namespace ringway::test
