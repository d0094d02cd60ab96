#include "base/check.h"
#include "dataplane/worker_loop.h"
#include "tun/vnet_header.h"

/// The half of the worker's loop that faces the TUN.
namespace ringway {

void WorkerLoop::handle_frame(const TunReader::Frame& frame) {
  const auto header = parse_vnet_header(frame.bytes);
  if (!header) {
    reader_.buffers().give_back(frame.buffer);
    return drop(header.error());
  }
  const MutableBytes packet = frame.bytes.subspan(kVnetHeaderSize);
  std::expected<RoutedFrame, Drop> routed = std::unexpected(Drop::TooBig);
  if (header->is_gso() || packet.size() <= settings_.datapath.tun_mtu) {
    routed = datapath_.route_frame(*header, packet);
  } else {
    // It may have been cut off at the end of the buffer.
    drop(Drop::TooBig);
  }
  ports_.counters.add(Counter::TunReceivedPackets, routed ? routed->segmenter.packet_count() : 1);
  ports_.counters.add(Counter::TunReceivedBytes, packet.size());
  if (header->is_gso()) ports_.counters.add(Counter::TunReceivedFrames);
  if (routed && routed->owner == settings_.datapath.self) {
    return feeder_.add(frame.buffer, packet, *routed, now_);
  }
  if (routed) hand_over_frame(*routed, packet);
  reader_.buffers().give_back(frame.buffer);
}

/// Lanes carry packets, each of which finds room or not.
void WorkerLoop::hand_over_frame(RoutedFrame& frame, MutableBytes packet) {
  while (frame.segmenter.left_count() > 0) {
    const MutableBytes one = frame.segmenter.can_cut_in_place()
                                 ? frame.segmenter.next_in_place(packet)
                                 : frame.segmenter.write_next(scratch_);
    hand_over(frame.owner, {.kind = PacketKind::InnerPacket, .endpoint = {}}, one);
  }
}

/// The virtio header goes into the ten bytes in front of the packet, which belonged to the
/// datagram's own header and have been read.
bool WorkerLoop::write_to_tun(MutableBytes datagram, const Verdict& verdict,
                              std::uint8_t outer_ecn) {
  RW_ASSERT(verdict.packet.data() >= datagram.data() + kVnetHeaderSize);
  const auto offset = static_cast<std::size_t>(verdict.packet.data() - datagram.data());
  const MutableBytes frame =
      datagram.subspan(offset - kVnetHeaderSize, kVnetHeaderSize + verdict.packet.size());
  if (writer_.add(frame, verdict.ip, outer_ecn)) return true;
  drop(Drop::NoBuffer);
  return false;
}

void WorkerLoop::release_written() {
  while (const auto hold = writer_.poll_released()) {
    if (hold->kind == TunWriter::Hold::Kind::ReceiveBuffer) {
      receiver_.release(static_cast<std::uint16_t>(hold->slot));
    } else {
      const PacketBuffer done = taken_over_.take_back(hold->slot);
    }
  }
}

}  // namespace ringway
