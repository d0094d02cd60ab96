#include "dataplane/admission/handshake_gate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.h"

namespace ringway {
namespace {

/// What the unprotected head of a stranger's packet rules out before anything is computed.
std::optional<Drop> refuse_by_head(Bytes datagram) {
  ByteReader reader(datagram);
  const std::uint8_t first = reader.u8();
  reader.skip(SessionId::kSize);
  if (reader.truncated()) return Drop::Truncated;
  if (datagram.size() > HandshakeGate::kDatagramSizeMax) return Drop::Oversize;

  const Opcode opcode = opcode_of(first);
  const bool may_begin =
      opcode == Opcode::HardResetClientV2 || opcode == Opcode::ControlV1 || opcode == Opcode::AckV1;
  if (!may_begin) return Drop::UnknownOpcode;
  if (key_id_of(first).value != 0) return Drop::WrongKeyId;
  return std::nullopt;
}

/// Only 0, the reset, and 1, the ClientHello, can exist yet. A stray packet of a session that is
/// gone may still carry a valid cookie; its higher ids tell it apart (security goal A06).
bool is_of_the_beginning(const ControlPacket& packet) {
  const auto first_two = [](MessageId id) { return id.value <= 1; };
  return std::ranges::all_of(packet.acks(), first_two) && first_two(packet.message_id);
}

/// A 2.4 or 2.5 client acknowledges our reset once, in an ACK_V1 of its own; when that one is lost,
/// nothing it sends carries the cookie any more, and it would stall until its hand-window ends.
bool lost_its_ack(const ControlPacket& packet) {
  return packet.opcode == Opcode::ControlV1 && packet.ack_count == 0 &&
         packet.message_id.value == 1;
}

}  // namespace

HandshakeGate::HandshakeGate(const TlsWrap& wrap, const HandshakeCookie& cookie, ReplyLimit limit)
    : wrap_(wrap), cookie_(cookie), limit_(limit) {}

GateVerdict HandshakeGate::handle_datagram(Bytes datagram, const LinkEndpoint& from, Now now,
                                           MutableBytes scratch) {
  if (const auto refused = refuse_by_head(datagram)) return *refused;
  std::array<std::uint8_t, kDatagramSizeMax> plain;
  const auto unwrapped = wrap_.unwrap(datagram, plain);
  if (!unwrapped) return unwrapped.error();
  const auto packet = decode_control_packet(unwrapped->plain);
  if (!packet) return packet.error();

  if (packet->opcode == Opcode::HardResetClientV2) {
    if (packet->message_id.value != 0) return Drop::BadReset;
    return reply(packet->sender, from, now, scratch);
  }
  if (lost_its_ack(*packet)) return reply(packet->sender, from, now, scratch);
  if (packet->ack_count == 0) return Drop::BadCookie;
  if (!is_of_the_beginning(*packet)) return Drop::BadReset;
  if (!cookie_.verify(packet->receiver, from, packet->sender, now.instant)) return Drop::BadCookie;
  return GateProven{.local = packet->receiver, .remote = packet->sender};
}

/// The reset's only payload is the cookie, as our session id. It is sealed with the present time:
/// a client that has seen an earlier one would refuse the same stamp as a replay.
GateVerdict HandshakeGate::reply(SessionId client, const LinkEndpoint& from, Now now,
                                 MutableBytes scratch) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  if (!take_reply(now.instant)) return Drop::RateLimited;

  const ControlPacket reset{
      .opcode = Opcode::HardResetServerV2,
      .key_id = {0},
      .sender = cookie_.make(from, client, now.instant),
      .ack_count = 1,
      .ack_ids = {MessageId{0}},
      .receiver = client,
      .message_id = {0},
      .payload = {},
  };
  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax> plain;
  ByteWriter writer(plain);
  encode_control_packet(reset, writer);
  RW_ASSERT(!writer.overflowed());

  const ReplayStamp stamp{.id = 1, .time = static_cast<std::uint32_t>(now.wall.seconds)};
  return GateReply{wrap_.wrap(writer.written(), stamp, scratch)};
}

bool HandshakeGate::take_reply(Instant now) {
  if (now - period_start_ >= limit_.period) {
    period_start_ = now;
    replies_ = 0;
  }
  if (replies_ >= limit_.count) return false;
  ++replies_;
  return true;
}

}  // namespace ringway
