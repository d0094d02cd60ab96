#include "tests/sim/old_client.h"

#include <array>
#include <utility>

#include "base/cursor.h"

namespace ringway::sim {

std::vector<Datagram> OldClient::operator()(Datagram datagram) {
  if (datagram.to != world_.server_endpoint()) {
    note_message_of_server(datagram.bytes);
    return {std::move(datagram)};
  }
  std::array<std::uint8_t, 2048> scratch;
  const auto unwrapped = world_.server_wrap().unwrap(datagram.bytes, scratch);
  auto packet =
      unwrapped ? decode_control_packet(unwrapped->plain) : std::unexpected(unwrapped.error());
  if (!packet) return {std::move(datagram)};
  forget_repeated_acks(*packet);
  if (packet->opcode == Opcode::ControlV1 && packet->message_id.value == 1) {
    return split_hello(datagram, *packet);
  }
  if (!packet->has_message() && packet->ack_count == 0) return {};
  return {rewrite(std::move(datagram), *packet)};
}

void OldClient::note_message_of_server(Bytes datagram) {
  std::vector<std::uint8_t> copy(datagram.begin(), datagram.end());
  std::array<std::uint8_t, 2048> scratch;
  const auto unwrapped = world_.client_wrap().unwrap(copy, scratch);
  if (!unwrapped) return;
  const auto packet = decode_control_packet(unwrapped->plain);
  if (packet && packet->has_message()) ++unanswered_[packet->message_id];
}

std::vector<Datagram> OldClient::split_hello(const Datagram& datagram, ControlPacket packet) {
  ++hellos_;
  std::vector<Datagram> sent;
  if (packet.ack_count > 0 && one_ack_ == OneAck::IsSent) {
    ControlPacket ack = packet;
    ack.opcode = Opcode::AckV1;
    ack.payload = {};
    sent.push_back(rewrite(datagram, ack));
  }
  packet.ack_count = 0;
  sent.push_back(rewrite(datagram, packet));
  return sent;
}

void OldClient::forget_repeated_acks(ControlPacket& packet) {
  std::uint8_t kept = 0;
  for (const MessageId id : packet.acks()) {
    int& unanswered = unanswered_[id];
    if (unanswered > 0) packet.ack_ids[kept++] = id;
    unanswered = 0;
  }
  packet.ack_count = kept;
}

Datagram OldClient::rewrite(Datagram datagram, const ControlPacket& packet) {
  std::array<std::uint8_t, 2048> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  std::array<std::uint8_t, 2048> out;
  const Bytes wrapped = world_.client_wrap().wrap(writer.written(), counter_.next(), out);
  datagram.bytes.assign(wrapped.begin(), wrapped.end());
  return datagram;
}

}  // namespace ringway::sim
