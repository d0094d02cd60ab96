#include "control/channel/control_wire.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/cursor.h"

namespace ringway {
namespace {

/// IPv6 and UDP; assumed whatever carries us, because a client may change from one to the other.
constexpr std::size_t kOuterHeaderSize = 40 + 8;
/// A message carries at most four acknowledgements.
constexpr std::size_t kPacketHeaderSize =
    ControlPacket::kHeaderSizeMax -
    4 * (ControlPacket::kAcksMax - ControlPacket::kPiggybackAcksMax);
constexpr std::size_t kPayloadSizeMin = 64;

bool is_answer_to_first_reset(const ControlPacket& packet) {
  const auto acks = packet.acks();
  return packet.opcode == Opcode::HardResetServerV2 && packet.key_id == KeyId{0} &&
         std::ranges::find(acks, MessageId{0}) != acks.end();
}

}  // namespace

ControlWire::ControlWire(const TlsWrap& wrap, SessionId local, std::optional<SessionId> remote,
                         ReplayCounter counter)
    : wrap_(wrap), local_(local), remote_(remote), counter_(counter) {
  RW_ASSERT(!local_.is_zero());
}

std::expected<ControlPacket, Drop> ControlWire::open(Bytes datagram, MutableBytes scratch) {
  RW_ASSERT(scratch.size() >= kDatagramSizeMax);
  if (datagram.size() > kDatagramSizeMax) return std::unexpected(Drop::Oversize);
  const auto unwrapped = wrap_.unwrap(datagram, scratch);
  if (!unwrapped) return std::unexpected(unwrapped.error());
  const auto packet = decode_control_packet(unwrapped->plain);
  if (!packet) return packet;
  if (const auto fault = session_fault(*packet)) return std::unexpected(*fault);
  if (wrap_.is_protected() && !replay_.accept(unwrapped->stamp)) {
    return std::unexpected(Drop::ControlReplay);
  }
  remote_ = packet->sender;
  return packet;
}

std::optional<Drop> ControlWire::session_fault(const ControlPacket& packet) const {
  if (remote_ && packet.sender != *remote_) return Drop::ForeignSession;
  if (packet.ack_count > 0 && packet.receiver != local_) return Drop::ForeignSession;
  if (!remote_ && !is_answer_to_first_reset(packet)) return Drop::BadReset;
  return std::nullopt;
}

Bytes ControlWire::seal(ControlPacket& packet, MutableBytes out) {
  RW_ASSERT(out.size() >= kDatagramSizeMax);
  packet.sender = local_;
  packet.receiver = remote();
  std::array<std::uint8_t, ControlPacket::kHeaderSizeMax + ControlPacket::kPayloadSizeMax> plain;
  ByteWriter writer(plain);
  encode_control_packet(packet, writer);
  RW_ASSERT(!writer.overflowed());
  return wrap_.wrap(writer.written(), counter_.next(), out);
}

std::size_t ControlWire::payload_size_max(std::size_t packet_size) const {
  const std::size_t around = kOuterHeaderSize + kPacketHeaderSize + wrap_.overhead();
  const std::size_t payload = packet_size > around ? packet_size - around : 0;
  return std::clamp(payload, kPayloadSizeMin, ControlPacket::kPayloadSizeMax);
}

}  // namespace ringway
