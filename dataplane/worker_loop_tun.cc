#include <algorithm>

#include "base/check.h"
#include "dataplane/worker_loop.h"
#include "tun/vnet_header.h"

/// The half of the worker's loop that faces the TUN.
namespace ringway {

void WorkerLoop::arm_tun_reads() {
  tun_buffers_.publish(feeder_.wanted_reads(now_));
  for (std::size_t i = 0; i < tun_reads_.size(); ++i) {
    LastingRequest& read = tun_reads_[i];
    if (tun_buffers_.available() > 0) read.note_buffers_available();
    if (!read.is_due()) continue;
    const RequestTag tag{.operation = Operation::TunRead, .slot = static_cast<std::uint32_t>(i)};
    const int fd = settings_.tun_queue.get();
    const bool armed = multishot_reads_ ? ring_.read_packets(tag, fd, tun_buffers_.group())
                                        : ring_.read_packet(tag, fd, tun_buffers_.group(),
                                                            tun_buffers_.buffer_size());
    if (!armed) continue;
    read.note_armed();
    ports_.counters.add(Counter::TunReadArmed);
  }
}

void WorkerLoop::on_tun_read(const Completion& completion) {
  LastingRequest& read = tun_reads_[completion.tag.slot];
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    handle_frame(*completion.buffer, tun_buffers_.take(*completion.buffer, size));
    read.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    ports_.counters.add(Counter::TunReadStarved);
  } else if (completion.result < 0) {
    ports_.counters.add(Counter::TunReadFailed);
  }
  read.note_ended(completion.result, tun_buffers_.available() > 0);
}

void WorkerLoop::handle_frame(std::uint16_t buffer, MutableBytes frame) {
  const auto header = parse_vnet_header(frame);
  if (!header) {
    tun_buffers_.give_back(buffer);
    return drop(header.error());
  }
  const MutableBytes packet = frame.subspan(kVnetHeaderSize);
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
    return feeder_.add(buffer, packet, *routed, now_);
  }
  if (routed) hand_over_frame(*routed, packet);
  tun_buffers_.give_back(buffer);
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
  if (tun_writer_.add(frame, verdict.ip, outer_ecn)) return true;
  drop(Drop::NoBuffer);
  return false;
}

void WorkerLoop::release_written() {
  while (const auto hold = tun_writer_.poll_released()) {
    if (hold->kind == TunWriter::Hold::Kind::ReceiveBuffer) {
      const auto buffer = static_cast<std::uint16_t>(hold->slot);
      link_buffers_.take_back(buffer);
      link_buffers_.give_back(buffer);
    } else {
      const PacketBuffer done = taken_over_.take_back(hold->slot);
    }
  }
}

}  // namespace ringway
