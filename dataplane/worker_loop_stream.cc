#include "dataplane/worker_loop.h"

/// The part of the worker's loop that faces clients over TCP.
namespace ringway {

/// As over UDP: while all batches of the TUN writer are in flight, what has come stays where it is,
/// nobody receives any more, and TCP slows the clients down.
void WorkerLoop::drain_streams() {
  while (writer_.has_room() && streams_->begin_part()) handle_part();
  take_from_control();
}

void WorkerLoop::handle_part() {
  writer_.begin_buffer(ring_);
  UplinkSource source(streams_->from());
  bool is_held = false;
  while (const std::optional<MutableBytes> datagram = streams_->next_datagram()) {
    is_held = handle_datagram(*datagram, source) || is_held;
  }
  const std::uint32_t buffer = streams_->end_part(is_held);
  if (!is_held) return;
  writer_.end_buffer({.kind = TunWriter::Hold::Kind::StreamPart, .slot = buffer}, ring_);
}

/// TCP neither loses nor repeats anything, and nobody else can put a packet into a connection: one
/// that does not authenticate means that the two ends do not understand each other, and OpenVPN
/// closes the connection, too. What can happen to an honest client (its session is gone, its packet
/// is not one that may pass) does not.
void WorkerLoop::judge_drop(Drop reason, const LinkEndpoint& from) {
  switch (reason) {
    case Drop::Truncated:
    case Drop::UnknownOpcode:
    case Drop::BadTag:
    case Drop::Replay:
    case Drop::WrongEndpoint:
    case Drop::Oversize:
    case Drop::BadWrap:
    case Drop::BadCookie:
    case Drop::BadReset:
    case Drop::StaleClientKey:
    case Drop::WrongKeyId: streams_->fail(from.connection); return;
    default: return;
  }
}

/// What the connection has no room for is lost: the control channel sends it again.
void WorkerLoop::take_from_control() {
  while (const std::optional<PacketRing::Record> record = ports_.from_control.front()) {
    const ConnectionId connection = record->origin.endpoint.connection;
    if (record->origin.kind == PacketKind::ConnectionEnd) {
      streams_->end(connection, now_);
    } else if (!streams_->send(connection, record->bytes)) {
      drop(Drop::NoBuffer);
    }
    ports_.from_control.pop();
  }
}

/// Behind all that came over the connection, in either ring; to hear it twice does no harm. While a
/// ring is full it is tried again each turn.
void WorkerLoop::report_ended() {
  while (const LinkEndpoint* const ended = streams_->front_ended()) {
    const PacketOrigin origin{
        .kind = PacketKind::ConnectionEnd, .worker = settings_.datapath.self, .endpoint = *ended};
    if (!ports_.newcomers.push(origin, {}) || !ports_.to_control.push(origin, {})) return;
    control_bell_due_ = true;
    streams_->pop_ended();
  }
}

}  // namespace ringway
