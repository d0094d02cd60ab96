#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "dataplane/datagram_train.h"
#include "dataplane/worker_loop.h"

/// The half of the worker's loop that faces the clients and the other threads.
namespace ringway {

void WorkerLoop::on_link_receive(const Completion& completion) {
  LastingRequest& receive = link_receives_[completion.tag.listener];
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    link_pending_.push_back({.buffer = *completion.buffer,
                             .listener = completion.tag.listener,
                             .bytes = link_buffers_.take(*completion.buffer, size)});
    receive.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    ports_.counters.add(Counter::LinkReceiveStarved);
  } else if (completion.result < 0) {
    ports_.counters.add(Counter::LinkReceiveFailed);
  }
  receive.note_ended(completion.result, link_buffers_.available() > 0);
}

/// Messages stay here while all batches of the TUN writer are in flight. The kernel then runs out
/// of buffers, and the socket's own queue is where the rest waits (E03).
void WorkerLoop::drain_link() {
  std::size_t handled = 0;
  while (handled < link_pending_.size() && tun_writer_.has_room()) {
    receive_train(link_pending_[handled++]);
  }
  if (handled < link_pending_.size()) ports_.counters.add(Counter::TunWriteWaits);
  link_pending_.erase(link_pending_.begin(),
                      link_pending_.begin() + static_cast<std::ptrdiff_t>(handled));
}

void WorkerLoop::receive_train(const PendingMessage& pending) {
  const auto message = parse_received_message(pending.bytes);
  const auto arrival = message
                           ? decode_link_arrival(message->name, message->control, pending.listener)
                           : std::nullopt;
  if (!arrival || message->truncated) {
    drop(message && message->truncated ? Drop::Oversize : Drop::Truncated);
    link_buffers_.give_back(pending.buffer);
    return;
  }
  DatagramTrain train(message->payload, arrival->segment_size);
  ports_.counters.add(Counter::LinkReceivedPackets, train.count_left());
  ports_.counters.add(Counter::LinkReceivedBytes, message->payload.size());
  if (train.count_left() > 1) ports_.counters.add(Counter::LinkReceivedTrains);

  tun_writer_.begin_buffer(ring_);
  bool is_held = false;
  while (train.count_left() > 0) is_held = receive_datagram(train.take(), *arrival) || is_held;
  if (!is_held) return link_buffers_.give_back(pending.buffer);
  link_buffers_.lend(pending.buffer);
  tun_writer_.end_buffer({.kind = TunWriter::Hold::Kind::ReceiveBuffer, .slot = pending.buffer},
                         ring_);
}

/// True when the TUN writer refers to the datagram's memory.
bool WorkerLoop::receive_datagram(MutableBytes datagram, const LinkArrival& arrival) {
  if (datagram.size() > datagram_size_max_) {
    drop(Drop::Oversize);
    return false;
  }
  const Verdict verdict = datapath_.handle_datagram(datagram, arrival.from, now_);
  switch (verdict.way) {
    case Verdict::Way::Tun: return write_to_tun(datagram, verdict, arrival.ecn);
    case Verdict::Way::Peer: forward_to_peer(verdict.packet, false); return false;
    case Verdict::Way::Control: give_to_control(arrival.from, datagram); return false;
    case Verdict::Way::Worker:
      hand_over(verdict.worker, {.kind = PacketKind::LinkDatagram, .endpoint = arrival.from},
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
      tun_writer_.begin_buffer(ring_);
      // The lanes do not carry the outer ECN; nobody but the coalescer would ask for it.
      if (!write_to_tun(datagram, verdict, 0)) return;
      const std::uint32_t slot = buffer->slot();
      buffer->lend_to_kernel();
      return tun_writer_.end_buffer({.kind = TunWriter::Hold::Kind::PacketBuffer, .slot = slot},
                                    ring_);
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

void WorkerLoop::on_link_sent(const Completion& completion) {
  const LinkSender::Outcome sent = sender_.note_sent(completion);
  if (sent.is_refused) ports_.counters.add(Counter::LinkRefusedTrains);
  // A client that cannot be reached, a full queue, a packet filter: those datagrams are lost and
  // nothing else (E07).
  if (sent.error != 0 && sent.error != ECANCELED) ports_.counters.add_send_error(sent.error);
  ports_.counters.add(Drop::SendFailed, sent.failed_count);
  ports_.counters.add(Counter::LinkSentPackets, sent.datagram_count);
  ports_.counters.add(Counter::LinkSentBytes, sent.size);
  if (sent.is_train) ports_.counters.add(Counter::LinkSentTrains);
}

}  // namespace ringway
