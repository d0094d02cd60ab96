#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "control/client_loop.h"
#include "dataplane/datagram_train.h"
#include "tun/vnet_header.h"

/// The half of the client's loop that faces the server.
namespace ringway {

void ClientLoop::on_link_receive(const Completion& completion) {
  if (completion.buffer) {
    const auto size = static_cast<std::size_t>(std::max(completion.result, std::int32_t{0}));
    link_pending_.push_back(
        {.buffer = *completion.buffer, .bytes = link_buffers_.take(*completion.buffer, size)});
    link_receive_.note_progress();
  }
  if (completion.more) return;
  if (completion.result == -ENOBUFS) {
    counters_.add(Counter::LinkReceiveStarved);
  } else if (completion.result < 0) {
    counters_.add(Counter::LinkReceiveFailed);
  }
  link_receive_.note_ended(completion.result, link_buffers_.available() > 0);
}

/// Messages stay here while all batches of the TUN writer are in flight. The kernel then runs out
/// of buffers, and the socket's own queue is where the rest waits (E03).
void ClientLoop::drain_link() {
  std::size_t handled = 0;
  while (handled < link_pending_.size() && (!tun_writer_ || tun_writer_->has_room())) {
    receive_train(link_pending_[handled++]);
  }
  if (handled < link_pending_.size()) counters_.add(Counter::TunWriteWaits);
  link_pending_.erase(link_pending_.begin(),
                      link_pending_.begin() + static_cast<std::ptrdiff_t>(handled));
}

void ClientLoop::receive_train(const PendingMessage& pending) {
  const auto message = parse_received_message(pending.bytes);
  const auto arrival =
      message ? decode_link_arrival(message->name, message->control, 0) : std::nullopt;
  if (!arrival || message->truncated || arrival->from.remote != settings_.server) {
    const bool is_stranger = arrival && !message->truncated;
    drop(is_stranger ? Drop::WrongEndpoint : message ? Drop::Oversize : Drop::Truncated);
    return link_buffers_.give_back(pending.buffer);
  }
  DatagramTrain train(message->payload, arrival->segment_size);
  counters_.add(Counter::LinkReceivedPackets, train.count_left());
  counters_.add(Counter::LinkReceivedBytes, message->payload.size());
  if (train.count_left() > 1) counters_.add(Counter::LinkReceivedTrains);

  if (tun_writer_) tun_writer_->begin_buffer(ring_);
  bool is_held = false;
  while (train.count_left() > 0) is_held = receive_datagram(train.take(), arrival->ecn) || is_held;
  if (!is_held) return link_buffers_.give_back(pending.buffer);
  link_buffers_.lend(pending.buffer);
  tun_writer_->end_buffer({.kind = TunWriter::Hold::Kind::ReceiveBuffer, .slot = pending.buffer},
                          ring_);
}

/// True when the TUN writer refers to the datagram's memory.
bool ClientLoop::receive_datagram(MutableBytes datagram, std::uint8_t outer_ecn) {
  const std::optional<ClientPacket> opened = core_.handle_datagram(datagram, now_);
  return opened && tun_writer_ && write_to_tun(datagram, opened->packet, outer_ecn);
}

/// The virtio header goes into the ten bytes in front of the packet, which belonged to the
/// datagram's own header and have been read.
bool ClientLoop::write_to_tun(MutableBytes datagram, MutableBytes packet, std::uint8_t outer_ecn) {
  const auto ip = parse_ip_packet(packet);
  if (!ip) {
    drop(ip.error());
    return false;
  }
  clamp_mss(packet, *ip, tun_.mss);
  RW_ASSERT(packet.data() >= datagram.data() + kVnetHeaderSize);
  const auto offset = static_cast<std::size_t>(packet.data() - datagram.data());
  const MutableBytes frame =
      datagram.subspan(offset - kVnetHeaderSize, kVnetHeaderSize + ip->total_length());
  if (tun_writer_->add(frame, *ip, outer_ecn)) return true;
  drop(Drop::NoBuffer);
  return false;
}

void ClientLoop::release_written() {
  if (!tun_writer_) return;
  while (const auto hold = tun_writer_->poll_released()) {
    const auto buffer = static_cast<std::uint16_t>(hold->slot);
    link_buffers_.take_back(buffer);
    link_buffers_.give_back(buffer);
  }
}

void ClientLoop::on_link_sent(const Completion& completion) {
  const LinkSender::Outcome sent = sender_.note_sent(completion);
  if (sent.is_refused) counters_.add(Counter::LinkRefusedTrains);
  // The server cannot be reached just now, a full queue, a packet filter: those datagrams are lost
  // and nothing else (E07).
  if (sent.error != 0 && sent.error != ECANCELED) counters_.add_send_error(sent.error);
  counters_.add(Drop::SendFailed, sent.failed_count);
  counters_.add(Counter::LinkSentPackets, sent.datagram_count);
  counters_.add(Counter::LinkSentBytes, sent.size);
  if (sent.is_train) counters_.add(Counter::LinkSentTrains);
}

}  // namespace ringway
