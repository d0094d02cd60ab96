#include "base/check.h"
#include "control/client_loop.h"
#include "tun/ecn.h"
#include "tun/mss_clamp.h"
#include "tun/vnet_header.h"

/// The half of the client's loop that takes from the server and gives to the TUN.
namespace ringway {

/// Messages stay in the receiver while all batches of the TUN writer are in flight. The kernel then
/// runs out of buffers, and the socket's own queue is where the rest waits (E03).
void ClientLoop::drain_link() {
  while (!writer_ || writer_->has_room()) {
    std::optional<LinkReceiver::Message> message = receiver_.take();
    if (!message) return;
    handle_message(*message);
  }
  if (!receiver_.is_empty()) counters_.add(Counter::TunWriteWaits);
}

void ClientLoop::handle_message(LinkReceiver::Message& message) {
  const Endpoint& from = message.arrival.from.remote;
  const bool is_elsewhere = from != server_.remote;
  if (is_elsewhere && !settings_.floats) {
    drop(Drop::WrongEndpoint);
    return receiver_.give_back(message.buffer);
  }
  if (message.arrival.ecn == ecn::kCongestion) {
    counters_.add(Counter::LinkCongestionMarks, message.datagrams.count_left());
  }
  if (writer_) writer_->begin_buffer(ring_);
  const std::uint64_t opened_before = core_.opened_count();
  bool is_held = false;
  while (message.datagrams.count_left() > 0) {
    is_held = handle_datagram(message.datagrams.take(), message.arrival.ecn) || is_held;
  }
  if (is_elsewhere && core_.opened_count() > opened_before) server_.remote = from;
  if (!is_held) return receiver_.give_back(message.buffer);
  receiver_.lend(message.buffer);
  writer_->end_buffer({.kind = TunWriter::Hold::Kind::ReceiveBuffer, .slot = message.buffer},
                      ring_);
}

/// True when the TUN writer refers to the datagram's memory.
bool ClientLoop::handle_datagram(MutableBytes datagram, std::uint8_t outer_ecn) {
  const std::optional<ClientPacket> opened = core_.handle_datagram(datagram, now_);
  return opened && writer_ && write_to_tun(datagram, opened->packet, outer_ecn);
}

/// The virtio header goes into the ten bytes in front of the packet, which belonged to the
/// datagram's own header and have been read.
bool ClientLoop::write_to_tun(MutableBytes datagram, MutableBytes packet, std::uint8_t outer_ecn) {
  auto ip = parse_ip_packet(packet);
  if (!ip) {
    drop(ip.error());
    return false;
  }
  if (!take_outer_ecn(packet, *ip, outer_ecn)) {
    drop(Drop::IllegalEcn);
    return false;
  }
  const InnerMss mss = core_.mss();
  clamp_mss(packet, *ip, {.v4 = mss.v4, .v6 = mss.v6});
  RW_ASSERT(packet.data() >= datagram.data() + kVnetHeaderSize);
  const auto offset = static_cast<std::size_t>(packet.data() - datagram.data());
  const MutableBytes frame =
      datagram.subspan(offset - kVnetHeaderSize, kVnetHeaderSize + ip->total_length());
  if (writer_->add(frame, *ip, outer_ecn)) return true;
  drop(Drop::NoBuffer);
  return false;
}

void ClientLoop::release_written() {
  if (!writer_) return;
  while (const auto hold = writer_->poll_released()) {
    if (hold->kind == TunWriter::Hold::Kind::StreamPart) {
      stream_->release(hold->slot);
    } else if (hold->kind == TunWriter::Hold::Kind::ReceiveBuffer) {
      receiver_.release(static_cast<std::uint16_t>(hold->slot));
    } else {
      const PacketBuffer done = answers_.take_back(hold->slot);
    }
  }
}

}  // namespace ringway
