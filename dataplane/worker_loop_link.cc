#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "dataplane/worker_loop.h"
#include "tun/ecn.h"

/// The half of the worker's loop that faces the clients and the other threads.
namespace ringway {
namespace {

using To = TooBigAnswers::Occasion::To;

/// What a client sent to another: the client hears of it.
LinkFeeder::Origin origin_of(const UplinkSource& source) {
  return {.to = To::Peer, .peer = source.session->peer_id()};
}

}  // namespace

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
  UplinkSource source(message.arrival.from, message.arrival.ecn);
  if (source.ecn == ecn::kCongestion) {
    ports_.counters.add(Counter::LinkCongestionMarks, message.datagrams.count_left());
  }
  bool is_held = false;
  while (message.datagrams.count_left() > 0) {
    is_held = handle_datagram(message.datagrams.take(), source) || is_held;
  }
  if (!is_held) return receiver_.give_back(message.buffer);
  receiver_.lend(message.buffer);
  writer_.end_buffer({.kind = TunWriter::Hold::Kind::ReceiveBuffer, .slot = message.buffer}, ring_);
}

/// True when the TUN writer refers to the datagram's memory.
bool WorkerLoop::handle_datagram(MutableBytes datagram, UplinkSource& source) {
  const Verdict verdict = datapath_.handle_datagram(datagram, source, now_);
  switch (verdict.way) {
    case Verdict::Way::Tun: return write_to_tun(datagram, verdict, source.ecn);
    case Verdict::Way::Peer:
      forward_to_peer(verdict.packet, {.origin = origin_of(source)});
      return false;
    case Verdict::Way::Misfit: refit_for_tun(verdict, source.session->peer_id()); return false;
    case Verdict::Way::Control: give_to_control(source.endpoint, datagram, false); return false;
    case Verdict::Way::Newcomer: give_to_control(source.endpoint, datagram, true); return false;
    case Verdict::Way::Link: answer(verdict); return false;
    case Verdict::Way::Worker:
      hand_over(verdict.worker,
                {.kind = PacketKind::LinkDatagram, .endpoint = source.endpoint, .ecn = source.ecn},
                datagram);
      return false;
    case Verdict::Way::Dropped:  // Counted by the core.
      if (source.endpoint.is_tcp()) judge_drop(verdict.drop, source.endpoint);
      return false;
    case Verdict::Way::Consumed: return false;
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
    const bool from_tun = record.origin.from_tun;
    forward_to_peer(packet, {.from_lane = true, .origin = {.to = from_tun ? To::Tun : To::Peer}});
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

  UplinkSource source(record.origin.endpoint, record.origin.ecn);
  const Verdict verdict = datapath_.handle_datagram(datagram, source, now_);
  switch (verdict.way) {
    case Verdict::Way::Tun: {
      writer_.begin_buffer(ring_);
      if (!write_to_tun(datagram, verdict, source.ecn)) return;
      const std::uint32_t slot = buffer->slot();
      buffer->lend_to_kernel();
      return writer_.end_buffer({.kind = TunWriter::Hold::Kind::PacketBuffer, .slot = slot}, ring_);
    }
    case Verdict::Way::Peer: return forward_to_peer(verdict.packet, {.origin = origin_of(source)});
    case Verdict::Way::Misfit: return refit_for_tun(verdict, source.session->peer_id());
    // The worker that handed it over took us for the owner. It is not passed on a second time:
    // two workers that disagree must not play ball.
    case Verdict::Way::Worker: return drop(Drop::UnknownPeer);
    // Lanes carry no control datagrams.
    case Verdict::Way::Control:
    case Verdict::Way::Newcomer:
    case Verdict::Way::Link: return drop(Drop::UnknownOpcode);
    case Verdict::Way::Dropped:
    case Verdict::Way::Consumed: return;
  }
}

/// For the client that owns the packet's destination.
void WorkerLoop::forward_to_peer(MutableBytes packet, const Provenance& provenance) {
  const std::expected<RoutedFrame, Drop> routed = datapath_.route_frame({}, packet);
  if (!routed) return;
  if (routed->owner == settings_.datapath.self) {
    return feeder_.forward(packet, *routed, provenance.origin, now_);
  }
  if (provenance.from_lane) return drop(Drop::UnknownPeer);
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

/// Newcomers have a ring of their own, so that however many come, those who are connected find
/// room.
void WorkerLoop::give_to_control(const LinkEndpoint& from, Bytes datagram, bool is_newcomer) {
  if (datagram.size() > datagram_size_max_) return drop(Drop::Oversize);
  const PacketOrigin origin{
      .kind = PacketKind::ControlDatagram, .worker = settings_.datapath.self, .endpoint = from};
  PacketRing& ring = is_newcomer ? ports_.newcomers : ports_.to_control;
  if (!ring.push(origin, datagram)) return drop(Drop::QueueFull);
  control_bell_due_ = true;
  ports_.counters.add(is_newcomer ? Counter::NewcomerDatagrams : Counter::ControlDatagrams);
}

/// Where the socket takes no more, who is connected goes first: a stranger asks again.
void WorkerLoop::answer(const Verdict& verdict) {
  const LinkEndpoint& to = verdict.endpoint;
  const bool is_sent =
      to.is_tcp() ? streams_ && streams_->send(to.connection, verdict.packet)
                  : answers_.is_ready(to.listener) && answers_.send_alone(to, verdict.packet);
  if (!is_sent) return drop(Drop::NoBuffer);
  ports_.counters.add(Counter::HandshakeAnswers);
}

void WorkerLoop::send(const Verdict& verdict) {
  if (verdict.way != Verdict::Way::Link) return;
  const bool is_sent = verdict.endpoint.is_tcp()
                           ? streams_ && streams_->send(verdict.endpoint.connection, verdict.packet)
                           : sender_.send_alone(verdict.endpoint, verdict.packet);
  if (!is_sent) drop(Drop::NoBuffer);
}

}  // namespace ringway
