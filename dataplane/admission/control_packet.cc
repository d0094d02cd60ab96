#include "dataplane/admission/control_packet.h"

#include "base/check.h"

namespace ringway {
namespace {

/// HARD_RESET_CLIENT_V1 and SERVER_V1 are key-method 1, which is dead.
bool is_known(Opcode opcode) {
  switch (opcode) {
    case Opcode::SoftResetV1:
    case Opcode::ControlV1:
    case Opcode::AckV1:
    case Opcode::HardResetClientV2:
    case Opcode::HardResetServerV2:
    case Opcode::HardResetClientV3:
    case Opcode::ControlWkcV1: return true;
    case Opcode::DataV1:
    case Opcode::DataV2: return false;
  }
  return false;
}

}  // namespace

std::expected<ControlPacket, Drop> decode_control_packet(Bytes plain) {
  ByteReader reader(plain);
  const std::uint8_t first = reader.u8();
  if (reader.truncated()) return std::unexpected(Drop::Truncated);

  ControlPacket packet;
  packet.opcode = opcode_of(first);
  packet.key_id = key_id_of(first);
  if (!is_known(packet.opcode)) return std::unexpected(Drop::UnknownOpcode);

  reader.copy_to(packet.sender.bytes);
  packet.ack_count = reader.u8();
  if (reader.truncated()) return std::unexpected(Drop::Truncated);
  if (packet.sender.is_zero()) return std::unexpected(Drop::ForeignSession);
  if (packet.ack_count > ControlPacket::kAcksMax) return std::unexpected(Drop::BadAck);

  for (std::uint8_t i = 0; i < packet.ack_count; ++i) packet.ack_ids[i] = {reader.u32()};
  if (packet.ack_count > 0) reader.copy_to(packet.receiver.bytes);
  if (packet.has_message()) packet.message_id = {reader.u32()};
  if (reader.truncated()) return std::unexpected(Drop::Truncated);

  if (reader.left() > ControlPacket::kPayloadSizeMax) return std::unexpected(Drop::Oversize);
  packet.payload = reader.take_rest();
  return packet;
}

void encode_control_packet(const ControlPacket& packet, ByteWriter& out) {
  RW_ASSERT(packet.ack_count <= ControlPacket::kAcksMax);
  RW_ASSERT(!packet.sender.is_zero());

  out.u8(first_byte(packet.opcode, packet.key_id));
  out.bytes(packet.sender.bytes);
  out.u8(packet.ack_count);
  for (const MessageId id : packet.acks()) out.u32(id.value);
  if (packet.ack_count > 0) out.bytes(packet.receiver.bytes);
  if (!packet.has_message()) return;

  out.u32(packet.message_id.value);
  out.bytes(packet.payload);
}

}  // namespace ringway
