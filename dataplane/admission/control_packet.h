#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "base/cursor.h"
#include "base/drop.h"
#include "base/opcode.h"
#include "dataplane/admission/session_id.h"

namespace ringway {

/// The counter of one reliable control message; restarts at 0 with each key negotiation.
struct MessageId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const MessageId&, const MessageId&) = default;
};

/// One control-channel packet without its wrapping:
///
///     opcode:5 key_id:3 | sender 8 | ack count 1 | acks 4 each | [receiver 8] | [message id 4] |
///     payload
///
/// `receiver` is there only with acks, the message id in everything but ACK_V1. Pure value;
/// `payload` is borrowed from what was decoded.
struct ControlPacket {
  static constexpr std::size_t kAcksMax = 8;
  /// What a packet with a message may carry; ACK_V1 may carry kAcksMax.
  static constexpr std::size_t kPiggybackAcksMax = 4;
  /// Payloads above this are dropped (security goal A10).
  static constexpr std::size_t kPayloadSizeMax = 1500;
  /// Header, ids and a full list of acks, without payload.
  static constexpr std::size_t kHeaderSizeMax = 1 + 8 + 1 + 4 * kAcksMax + 8 + 4;

  Opcode opcode = Opcode::ControlV1;
  KeyId key_id;
  SessionId sender;
  std::uint8_t ack_count = 0;
  std::array<MessageId, kAcksMax> ack_ids{};
  /// Whose messages are acknowledged; meaningful when ack_count > 0.
  SessionId receiver;
  /// Not in ACK_V1.
  MessageId message_id;
  Bytes payload;

  [[nodiscard]] std::span<const MessageId> acks() const { return {ack_ids.data(), ack_count}; }
  [[nodiscard]] bool has_message() const { return opcode != Opcode::AckV1; }
};

/// Never allocates. Errors: Truncated, UnknownOpcode, BadAck (more than kAcksMax), Oversize,
/// ForeignSession (an all-zero sender).
std::expected<ControlPacket, Drop> decode_control_packet(Bytes plain);
/// Writes the picture above; the writer's overflowed() says when it did not fit.
void encode_control_packet(const ControlPacket& packet, ByteWriter& out);

}  // namespace ringway
