#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "dataplane/worker_loop.h"

/// The half of the worker's loop that faces the clients and the other threads.
namespace ringway {

/// Messages stay in the receiver while all batches of the TUN writer are in flight. The kernel then
/// runs out of buffers, and the socket's own queue is where the rest waits (E03).
void WorkerLoop::drain_link() {
  while (writer_.has_room()) {
    std::optional<LinkReceiver::Message> message = receiver_.take();
    if (!message) return;
    handle_message(*message);
  }
  if (!receiver_.is_empty()) ports_.counters.add(Counter::TunWriteWaits);
}

void WorkerLoop::handle_message(LinkReceiver::Message& message) {
  writer_.begin_buffer(ring_);
  UplinkSource source(message.arrival.from);
  bool is_held = false;
  while (message.datagrams.count_left() > 0) {
    is_held = handle_datagram(message.datagrams.take(), source, message.arrival.ecn) || is_held;
  }
  if (!is_held) return receiver_.give_back(message.buffer);
  receiver_.lend(message.buffer);
  writer_.end_buffer({.kind = TunWriter::Hold::Kind::ReceiveBuffer, .slot = message.buffer}, ring_);
}

/// True when the TUN writer refers to the datagram's memory.
bool WorkerLoop::handle_datagram(MutableBytes datagram, UplinkSource& source, std::uint8_t ecn) {
  if (datagram.size() > datagram_size_max_) {
    drop(Drop::Oversize);
    return false;
  }
  const Verdict verdict = datapath_.handle_datagram(datagram, source, now_);
  switch (verdict.way) {
    case Verdict::Way::Tun: return write_to_tun(datagram, verdict, ecn);
    case Verdict::Way::Peer: forward_to_peer(verdict.packet, false); return false;
    case Verdict::Way::Control: give_to_control(source.endpoint, datagram); return false;
    case Verdict::Way::Worker:
      hand_over(verdict.worker, {.kind = PacketKind::LinkDatagram, .endpoint = source.endpoint},
                datagram);
      return false;
    case Verdict::Way::Dropped:  // Counted by the core.
    case Verdict::Way::Consumed:
    case Verdict::Way::Link: return false;
  }
  return false;
}

void WorkerLoop::take_over(const PacketRing::Record& record) {
  ports_.counters.add(Counter::TakenOverPackets);
  if (record.origin.kind == PacketKind::LinkDatagram) {
    take_over_datagram(record);
  } else if (record.bytes.size() > scratch_.size()) {
    drop(Drop::Oversize);
  } else {
    const MutableBytes packet = MutableBytes(scratch_).first(record.bytes.size());
    std::ranges::copy(record.bytes, packet.begin());
    forward_to_peer(packet, true);
  }
}

/// Opened in a buffer of our own, because the write to the TUN outlives the record.
void WorkerLoop::take_over_datagram(const PacketRing::Record& record) {
  std::optional<PacketBuffer> buffer = taken_over_.take();
  if (!buffer) return drop(Drop::NoBuffer);
  const MutableBytes room = buffer->bytes().subspan(kReceiveHeadroom);
  if (record.bytes.size() > room.size()) return drop(Drop::Oversize);
  const MutableBytes datagram = room.first(record.bytes.size());
  if (!datagram.empty()) std::memcpy(datagram.data(), record.bytes.data(), datagram.size());

  const Verdict verdict = datapath_.handle_datagram(datagram, record.origin.endpoint, now_);
  switch (verdict.way) {
    case Verdict::Way::Tun: {
      writer_.begin_buffer(ring_);
      // The lanes do not carry the outer ECN; nobody but the coalescer would ask for it.
      if (!write_to_tun(datagram, verdict, 0)) return;
      const std::uint32_t slot = buffer->slot();
      buffer->lend_to_kernel();
      return writer_.end_buffer({.kind = TunWriter::Hold::Kind::PacketBuffer, .slot = slot}, ring_);
    }
    case Verdict::Way::Peer: return forward_to_peer(verdict.packet, false);
    // The worker that handed it over took us for the owner. It is not passed on a second time:
    // two workers that disagree must not play ball.
    case Verdict::Way::Worker: return drop(Drop::UnknownPeer);
    case Verdict::Way::Control: return give_to_control(record.origin.endpoint, datagram);
    case Verdict::Way::Dropped:
    case Verdict::Way::Consumed:
    case Verdict::Way::Link: return;
  }
}

/// For the client that owns the packet's destination.
void WorkerLoop::forward_to_peer(MutableBytes packet, bool from_lane) {
  const std::expected<RoutedFrame, Drop> routed = datapath_.route_frame({}, packet);
  if (!routed) return;
  if (routed->owner == settings_.datapath.self) return feeder_.forward(packet, *routed, now_);
  if (from_lane) return drop(Drop::UnknownPeer);
  hand_over(routed->owner, {.kind = PacketKind::InnerPacket, .endpoint = {}},
            routed->segmenter.ip().bytes);
}

void WorkerLoop::hand_over(WorkerId to, const PacketOrigin& origin, Bytes bytes) {
  RW_ASSERT(to.value < around_.lanes.to_others.size());
  PacketRing* lane = around_.lanes.to_others[to.value];
  RW_ASSERT(lane != nullptr);
  PacketOrigin signed_origin = origin;
  signed_origin.worker = settings_.datapath.self;
  if (!lane->push(signed_origin, bytes)) return drop(Drop::QueueFull);
  bell_due_[to.value] = true;
  ports_.counters.add(Counter::HandedOverPackets);
}

void WorkerLoop::give_to_control(const LinkEndpoint& from, Bytes datagram) {
  const PacketOrigin origin{
      .kind = PacketKind::ControlDatagram, .worker = settings_.datapath.self, .endpoint = from};
  if (!ports_.to_control.push(origin, datagram)) return drop(Drop::QueueFull);
  control_bell_due_ = true;
  ports_.counters.add(Counter::ControlDatagrams);
}

void WorkerLoop::send(const Verdict& verdict) {
  if (verdict.way != Verdict::Way::Link) return;
  if (!sender_.send(verdict.endpoint, verdict.packet)) drop(Drop::NoBuffer);
}

}  // namespace ringway
