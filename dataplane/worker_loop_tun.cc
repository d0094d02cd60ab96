#include <utility>

#include "base/check.h"
#include "dataplane/worker_loop.h"
#include "tun/fragmenter.h"
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
  const bool is_cut_off = frame.bytes.size() == reader_.buffers().buffer_size();
  std::expected<RoutedFrame, Drop> routed = std::unexpected(Drop::TooBig);
  if (is_cut_off) {
    handle_cut_off(packet);
  } else {
    routed = datapath_.route_frame(*header, packet);
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
    hand_over(frame.owner, {.kind = PacketKind::InnerPacket, .endpoint = {}, .from_tun = true},
              one);
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

/// A buffer has one byte more than the largest frame: what fills it was larger. Its sender is told
/// from what there is.
void WorkerLoop::handle_cut_off(Bytes packet) {
  drop(Drop::TooBig);
  const std::expected<IpPacket, Drop> head = parse_ip_head(packet);
  if (!head || may_be_fragmented(*head)) return;
  outbox_.answer(*head, {.path_limit = settings_.datapath.tun_mtu, .now = now_});
}

/// A packet of a client that the TUN does not take. Where it may not be cut the client is told.
void WorkerLoop::refit_for_tun(const Verdict& verdict, PeerId from) {
  const std::size_t limit = settings_.datapath.tun_mtu;
  if (outbox_.fragment(verdict.ip, limit)) return;
  drop(Drop::Oversize);
  outbox_.answer(
      verdict.ip,
      {.peer = from, .path_limit = limit, .to = TooBigAnswers::Occasion::To::Peer, .now = now_});
}

/// What finds the TUN's writes all in flight stays for a later turn.
void WorkerLoop::drain_outbox() {
  while (!outbox_.is_empty() && writer_.has_room()) {
    Outbox::Item item = outbox_.take();
    if (item.to == TooBigAnswers::Occasion::To::Peer) {
      forward_to_peer(item.packet, {.origin = {.to = TooBigAnswers::Occasion::To::Peer}});
    } else {
      writer_.add_own(std::move(item.buffer), item.packet, ring_);
    }
  }
}

void WorkerLoop::release_written() {
  while (const auto hold = writer_.poll_released()) {
    switch (hold->kind) {
      case TunWriter::Hold::Kind::ReceiveBuffer:
        receiver_.release(static_cast<std::uint16_t>(hold->slot));
        break;
      case TunWriter::Hold::Kind::PacketBuffer: {
        const PacketBuffer done = taken_over_.take_back(hold->slot);
        break;
      }
      case TunWriter::Hold::Kind::StreamPart: streams_->release(hold->slot); break;
    }
  }
}

}  // namespace ringway
